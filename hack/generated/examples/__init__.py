"""Whole objects with every field of a kind in them: what the reference shows as a field's example."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent
_SEPARATOR = "---\n"


@cache
def examples_of(kind: str) -> list[Any]:
    """The example objects of a kind."""
    return [document for document in yaml.safe_load_all(_text(kind)) if document]


def first_example(kind: str) -> str:
    """What a reader sees whole, as it is written, without the remarks before it."""
    lines = _text(kind).split(_SEPARATOR)[0].splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


def example_of(kind: str, path: str) -> str:
    """The first value that an example has at ``path`` (`spec.env[].name`), as one would type it; empty if none has."""
    for example in examples_of(kind):
        for value in _values(example, path.replace("[]", ".[]").split(".")):
            return _typed(value)
    return ""


def _text(kind: str) -> str:
    return (_FOLDER / f"{kind.lower()}.yaml").read_text(encoding="utf-8")


def _values(value: Any, steps: list[str]) -> list[Any]:
    if not steps:
        return [value]
    if steps[0] == "[]":
        return [found for item in value for found in _values(item, steps[1:])]
    return _values(value[steps[0]], steps[1:]) if steps[0] in value else []


def _typed(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Typed, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


class _Typed(yaml.SafeDumper):
    """Writes a text that YAML would take for something else in double quotes, as people do."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if yaml.safe_load(text) == text else '"')


_Typed.add_representer(str, _string)
