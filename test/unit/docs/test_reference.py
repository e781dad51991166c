"""The generated reference: nothing without words, nothing without an example, and no example that is refused."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiop.api.resources import KINDS, Kind
from aiop.cli.main import COMMANDS
from aiop.controllers.serving.reasons import REASONS
from hack.generated.apireference import Field, all_fields, parts_of
from hack.generated.commandline import command_line_page, command_parser, options_of
from hack.generated.conditions import CONDITIONS, conditions_page
from hack.generated.examples import example_of, examples_of
from hack.generated.patterns import PATTERNS
from hack.generated.reference import reference_pages
from support.manifestfaults import faults_of

PAGES = {Path(path).stem: page for path, page in reference_pages()}
FIELDS = [(kind.resource.kind, field) for kind in KINDS for part in parts_of(kind) for field in all_fields(part)]
EXAMPLES = [(kind.resource.kind, example) for kind in KINDS for example in examples_of(kind.resource.kind)]


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=[f"{kind}.{field.path}" for kind, field in FIELDS])
def test_every_field_has_a_description_and_an_example(kind: str, field: Field) -> None:
    assert field.schema.get("description", "").endswith("."), "say what it is for, in a sentence"
    if field.children is None:
        assert example_of(kind, field.path), f"add {field.path} to hack/generated/examples/{kind.lower()}.yaml"


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=[each["metadata"]["name"] for _, each in EXAMPLES])
def test_every_example_is_accepted_as_it_stands(kind: str, example: Any) -> None:
    assert example["kind"] == kind
    assert faults_of(example) == []


def test_an_example_with_an_unknown_or_a_wrong_field_would_be_noticed() -> None:
    example = copy.deepcopy(examples_of("AIWorkload")[0])
    example["spec"] |= {"modelNam": "x", "replicas": -1, "modelVersion": "a..b"}
    said = " ".join(faults_of(example))
    assert "unknown field spec.modelNam" in said
    assert "spec.replicas" in said
    assert "modelVersion must not contain" in said


@pytest.mark.parametrize("kind", [kind.resource.kind for kind in KINDS])
def test_every_field_has_a_row_with_an_anchor_of_its_own(kind: str) -> None:
    page = PAGES[kind.lower()]
    for each, field in FIELDS:
        if each == kind:
            assert page.count(f'<a id="{field.path}"></a>') == 1, field.path


def test_every_pattern_is_said_in_words_and_no_words_are_left_over() -> None:
    used = {pattern for _, field in FIELDS for pattern in patterns(field.schema)}
    assert sorted(used - PATTERNS.keys()) == [], "add it to hack/generated/patterns.py"
    assert sorted(PATTERNS.keys() - used) == []


def patterns(schema: dict[str, Any]) -> Iterator[str]:
    if "pattern" in schema:
        yield schema["pattern"]
    for word in ("items", "additionalProperties"):
        if word in schema and "properties" not in schema[word]:
            yield from patterns(schema[word])


def test_every_bound_of_a_field_stands_in_its_row() -> None:
    row = next(line for line in PAGES["aiworkload"].splitlines() if 'id="spec.autoscaling.minReplicas"' in line)
    assert "`1`" in row
    assert "1 to 1000." in row
    assert "| `2` |" in row


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource.kind)
def test_the_overview_leads_to_the_page_of_each_kind(kind: Kind) -> None:
    assert f"[{kind.resource.kind}]({kind.resource.kind.lower()}.md)" in PAGES["api"]


def test_every_reason_has_a_section_with_its_meaning_and_its_fix() -> None:
    for reason in REASONS:
        section = conditions_page().split(f"\n### {reason.name}\n")[1].split("\n### ")[0]
        assert reason.meaning in section
        assert reason.fix in section


def test_every_condition_that_a_reason_stands_in_is_explained_and_lists_it() -> None:
    for reason in REASONS:
        for name in reason.conditions:
            assert CONDITIONS[name] in conditions_page()
            group = conditions_page().split(f"\n### Condition {name}\n")[1].split("\n### ")[0]
            assert f"[{reason.name}](#{reason.name.lower()})" in group


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_on_the_page(command: str) -> None:
    section = command_line_page().split(f"\n## aiop {command}\n")[1].split("\n## ")[0]
    for option in options_of(command_parser(command)):
        assert all(f"`{name}" in section for name in option.option_strings[:1])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_does(command: str) -> None:
    silent = [option.dest for option in options_of(command_parser(command)) if not option.help]
    assert silent == []


def test_a_default_that_is_nothing_is_not_shown() -> None:
    row = next(line for line in command_line_page().splitlines() if "`--model-store" in line)
    assert "|  |" in row
