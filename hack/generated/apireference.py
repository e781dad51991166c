"""The API reference: a page a kind, a table an object, a row a field, from the schema and from the examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiop.api.crd import CATEGORY, custom_resource_definition
from aiop.api.resources import KINDS, Kind
from hack.generated.examples import example_of, first_example
from hack.generated.schemawords import bounds, default, table_text, type_name

Schema = dict[str, Any]

_OVERVIEW = f"""# The API

Every kind is of the category `{CATEGORY}`: `kubectl get {CATEGORY} --all-namespaces` lists all that there is. A field
that is not on these pages is refused by kubectl and pruned by the API server. `kubectl explain aiworkload.spec` says
the same in a terminal.

| kind | `apiVersion` | scope | short name | what it is |
|---|---|---|---|---|
"""
_LEGEND = """Bounds and patterns are checked by the API server when the object is applied. A *quantity* is a number as
Kubernetes writes it, with or without quotes: `2`, `"500m"`, `4Gi`.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind: where it stands, its schema, and whether its parent must have it."""

    path: str
    schema: Schema
    required: bool

    @property
    def children(self) -> Schema | None:
        """The schema of the object that it holds, by itself or in a list."""
        inner: Schema = self.schema.get("items", self.schema)
        return inner if "properties" in inner else None

    @property
    def inside(self) -> str:
        """Where the fields of that object stand."""
        return f"{self.path}[]" if "items" in self.schema else self.path


def api_pages() -> Iterator[tuple[str, str]]:
    """Name and content of the overview and of each kind's page."""
    yield "api", _OVERVIEW + "".join(f"{_overview_row(kind)}\n" for kind in KINDS)
    for kind in KINDS:
        yield kind.resource.kind.lower(), _kind_page(kind)


def parts_of(kind: Kind) -> Iterator[Field]:
    """`spec` and, if it has one, `status`."""
    schema = custom_resource_definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for part in ("spec", "status"):
        if part in schema["properties"]:
            yield Field(part, schema["properties"][part], part in schema["required"])


def fields_of(parent: Field) -> Iterator[Field]:
    """The fields of an object, not those of the objects in it."""
    inner = parent.children or {}
    required = inner.get("required", ())
    for name, schema in inner.get("properties", {}).items():
        yield Field(f"{parent.inside}.{name}", schema, name in required)


def all_fields(parent: Field) -> Iterator[Field]:
    """The fields of an object at every depth."""
    for field in fields_of(parent):
        yield field
        yield from all_fields(field)


def _overview_row(kind: Kind) -> str:
    resource = kind.resource
    link = f"[{resource.kind}]({resource.kind.lower()}.md)"
    return f"| {link} | `{resource.api_version}` | {_scope(kind)} | `{kind.short_name}` | {kind.description} |"


def _scope(kind: Kind) -> str:
    return "namespace" if kind.resource.namespaced else "cluster"


def _kind_page(kind: Kind) -> str:
    resource = kind.resource
    lines = [
        f"# {resource.kind}\n",
        f"`{resource.api_version}`, scope: {_scope(kind)}, short name `{kind.short_name}`. {kind.description}\n",
        f"```yaml\n{first_example(resource.kind)}```\n",
        _LEGEND,
        *_rules({"x-kubernetes-validations": kind.validations}),
    ]
    for part in parts_of(kind):
        lines += _section(resource.kind, part, 2)
    return "\n".join(lines)


def _section(kind: str, parent: Field, depth: int) -> Iterator[str]:
    """The table of an object, then the sections of the objects in it."""
    inner = parent.children
    if inner is None:
        return
    yield f"{'#' * depth} {parent.inside}\n"
    yield f"{parent.schema.get('description', '')}\n"
    yield "| field | type | default | what it says | example |\n|---|---|---|---|---|"
    yield "".join(f"{_row(kind, field)}\n" for field in fields_of(parent))
    yield from _rules(parent.schema)
    if inner is not parent.schema:
        yield from _rules(inner)
    for field in fields_of(parent):
        yield from _section(kind, field, 3)


def _row(kind: str, field: Field) -> str:
    name = field.path.rpartition(".")[2]
    words = [table_text(str(field.schema.get("description", "")))]
    words += ["**Required.**"] if field.required else []
    words += [f"{text[:1].upper()}{text[1:]}." for text in bounds(field.schema)]
    words += [f"{table_text(rule['message'])}." for rule in field.schema.get("x-kubernetes-validations", ())
              if field.children is None]  # fmt: skip
    example = example_of(kind, field.path)
    shown = f"`{table_text(example)}`" if example and field.children is None else ""
    cells = (f'<a id="{field.path}"></a>`{name}`', _linked_type(field), default(field.schema), " ".join(words), shown)
    return f"| {' | '.join(cells)} |"


def _linked_type(field: Field) -> str:
    words = type_name(field.schema)
    if field.children is None:
        return words
    slug = "".join(letter for letter in field.inside.lower() if letter.isalnum())
    return f"[{words}](#{slug})"


def _rules(schema: Schema) -> Iterator[str]:
    rules = [str(rule["message"]) for rule in schema.get("x-kubernetes-validations", ())]
    if rules:
        yield "Rules:\n\n" + "".join(f"- {table_text(rule)}.\n" for rule in rules)
