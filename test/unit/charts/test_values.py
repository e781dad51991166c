"""Each value of the chart: documented, typed, bounded, and with a default."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import aiop
from aiop.api.modeluri import MODEL_STORE_PATTERN
from hack.generated.values import chart_values

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "aiop"


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schema in the values' schema, however deep, with its path."""
    yield from inner("values", json.loads((CHART / "values.schema.json").read_text()))


def inner(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    children = {**schema.get("properties", {})}
    if isinstance(schema.get("additionalProperties"), dict):
        children["*"] = schema["additionalProperties"]
    if "items" in schema:
        children["[]"] = schema["items"]
    for name, child in children.items():
        yield from inner(f"{path}.{name}", child)


def names(path: str, values: Any, known: set[str]) -> Iterator[str]:
    """Paths of the values in values.yaml, down to what the schema knows as one value."""
    for name, child in values.items():
        here = f"{path}.{name}".removeprefix(".")
        if here in known or not isinstance(child, dict) or not child:
            yield here
        else:
            yield from names(here, child, known)


@pytest.mark.parametrize(("path", "schema"), list(schemas()))
def test_each_value_has_a_description_a_type_and_bounds(path: str, schema: dict[str, Any]) -> None:
    assert schema["description"].endswith("."), f"{path}: a description is a sentence"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    for kind in kinds:
        assert bounded(kind, schema), f"{path}: a {kind} without bounds"


def bounded(kind: str, schema: dict[str, Any]) -> bool:
    if kind == "object":
        return "maxProperties" in schema or schema.get("additionalProperties") is False
    if kind == "array":
        return {"maxItems", "items"} <= schema.keys()
    if kind in {"integer", "number"}:
        return {"minimum", "maximum"} <= schema.keys()
    if kind == "string":
        return "enum" in schema or "maxLength" in schema
    return kind == "boolean"


def test_each_value_of_the_file_is_in_the_schema_and_the_reverse() -> None:
    known = {value.path for value in chart_values(ROOT)}
    written = set(names("", yaml.safe_load((CHART / "values.yaml").read_text()), known))
    assert sorted(known - written) == [], "in the schema only"
    assert sorted(written - known) == [], "in values.yaml only"


def test_chart_package_and_module_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {chart["version"], chart["appVersion"], project["version"]} == {aiop.__version__}


def test_a_model_store_of_the_chart_is_one_of_a_runtime() -> None:
    (store,) = [value for value in chart_values(ROOT) if value.path == "models.store"]
    assert store.schema["pattern"] == f"^$|{MODEL_STORE_PATTERN}"
