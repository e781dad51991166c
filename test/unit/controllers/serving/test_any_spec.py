"""Any spec that could be stored, past its bounds or at them: a plan or a refusal with its field, and nothing else."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import DEPLOYMENTS
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from aiop.sim.semantics.checks import violations as faults
from aiop.sim.semantics.schema import pruned, with_defaults
from aiop.sim.semantics.typeschema import custom_schema
from support.bounds import MEBIBYTE, Field, at_bounds, beyond, fields, schema_of
from support.podsecurity import violations
from support.servingworld import World

# Ten thousand and more make each example slow and say nothing that a hundred do not.
LARGE = 100_000


def changes(kind: str) -> st.SearchStrategy[list[tuple[Field, Any]]]:
    """Up to three fields of one example, each at a bound or past it."""
    return st.lists(st.sampled_from(_values(kind)), min_size=1, max_size=3).filter(
        lambda found: len({each.example for each, _ in found}) == 1
    )


def _values(kind: str) -> list[tuple[Field, Any]]:
    """Each field with each of its values that is not merely enormous."""
    return [
        (field, value)
        for field in fields(kind)
        for _, value in (*at_bounds(field), *beyond(field))
        if len(msgspec.json.encode(value)) < LARGE
    ]


def spec_of(changed: list[tuple[Field, Any]]) -> dict[str, Any]:
    """The example with all of the changes that can be made one after the other.

    Copies, since a value may hold parts of the example itself, and the next change may be of such a part.
    """
    first, value = changed[0]
    body = first.with_value(copy.deepcopy(value))
    for field, other in changed[1:]:
        place: Any = body
        try:
            for step in field.steps[:-1]:
                place = place[step]
            place[field.steps[-1]] = copy.deepcopy(other)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return body


@pytest.mark.security(11, 24)
@given(changes("AIWorkload"))
@settings(max_examples=300)
def test_any_spec_comes_to_a_plan_or_to_a_refusal_that_names_field_and_fix(changed: list[tuple[Field, Any]]) -> None:
    body = spec_of(changed)
    world = World(spec=body["spec"])
    plan = world.plan()
    if plan.refusal is None:
        for child in (child for step in plan.steps for child in step if child.resource == DEPLOYMENTS):
            assert violations(child.body["spec"]["template"]["spec"]) == []
    else:
        assert "spec." in plan.refusal.message
        assert len(plan.refusal.message) < 4096


@given(changes("AIWorkload"))
@settings(max_examples=300)
def test_what_the_schema_lets_through_the_models_read(changed: list[tuple[Field, Any]]) -> None:
    """Where they disagree a stored object would be refused for what nobody told its author."""
    spec = let_through("AIWorkload", changed)
    if spec is not None:
        SpecCache().workload(stored(spec))


@given(changes("ServingRuntime"))
@settings(max_examples=200)
def test_a_runtime_that_the_schema_lets_through_is_read(changed: list[tuple[Field, Any]]) -> None:
    spec = let_through("ServingRuntime", changed)
    if spec is not None:
        SpecCache().runtime(stored(spec))


@given(changes("AIWorkload"))
@settings(max_examples=100)
def test_a_spec_that_turns_bad_leaves_what_serves_as_it_is(changed: list[tuple[Field, Any]]) -> None:
    world = World()
    world.settle()
    serving = world.counts()
    world.spec, world.generation = spec_of(changed)["spec"], 2
    if world.plan().refusal is None:
        return
    world.settle()
    assert world.counts() == serving


@pytest.mark.security(27, 28)
@pytest.mark.parametrize(
    "uri", ["https://user:hunter2@host/model", "s3://key:hunter2@bucket/m", "https://host/m?token=hunter2"]
)
def test_credentials_in_a_uri_are_refused_without_being_repeated(uri: str) -> None:
    with pytest.raises(NotAccepted, match=r"spec\.modelUri") as refused:
        SpecCache().workload(stored({"modelName": "m", "framework": "ONNX", "modelUri": uri}))
    assert "hunter2" not in refused.value.message


@pytest.mark.security(24)
def test_a_mebibyte_of_text_is_refused_in_a_few_words() -> None:
    with pytest.raises(NotAccepted) as refused:
        SpecCache().workload(stored({"modelName": "x" * MEBIBYTE, "framework": "ONNX", "y" * MEBIBYTE: 1}))
    assert len(refused.value.message) < 1024


def let_through(kind: str, changed: list[tuple[Field, Any]]) -> Any:
    """The spec with its defaults, as the API server would store it; None if it would not."""
    schema = custom_schema(schema_of(kind))
    body = with_defaults(pruned({**spec_of(changed), "metadata": {"name": "x"}}, schema), schema)
    return None if faults(body, None, schema) else body["spec"]


def stored(spec: Any) -> CustomObject:
    return CustomObject(ObjectMeta(name="x", uid="u", generation=1), msgspec.json.encode(spec), b"{}")
