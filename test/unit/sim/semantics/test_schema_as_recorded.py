"""Defaulting, pruning and validation, held to what a real API server answered."""

from typing import Any

import pytest

from aiop.sim.semantics.checks import violations
from aiop.sim.semantics.errors import PatchRefused
from aiop.sim.semantics.jsonpatch import json_patched
from aiop.sim.semantics.merge import merge_patched
from aiop.sim.semantics.schema import pruned, unknown_fields, with_defaults
from support.recorded import Answer, answers

CUSTOM = [each for each in answers("schemas") if "built-in" not in each.title]
LAX = [each for each in CUSTOM if "validation" not in each.step]
JSON = [each for each in CUSTOM if each.step["verb"] == "json"]


def wanted(answer: Answer) -> dict[str, Any]:
    """The object as the server stores it if nothing is wrong with it."""
    step, body = answer.step, answer.step["body"]
    if step["verb"] == "merge":
        body = merge_patched(answer.before, body)
    elif step["verb"] == "json":
        body = json_patched(answer.before, body)
    shaped = with_defaults(pruned(body, answer.schema), answer.schema)
    assert isinstance(shaped, dict)
    return shaped


@pytest.mark.parametrize("answer", [each for each in LAX if not each.refused], ids=str)
def test_an_object_is_shaped_as_the_server_does_it(answer: Answer) -> None:
    assert wanted(answer)["spec"] == answer.body["spec"]
    assert violations(wanted(answer), answer.before, answer.schema) == []


@pytest.mark.parametrize("answer", [each for each in LAX if each.status == 422 and each not in JSON], ids=str)
def test_an_object_is_refused_in_the_servers_words(answer: Answer) -> None:
    found = violations(wanted(answer), answer.before, answer.schema)
    causes = [{"reason": each.reason, "message": each.message, "field": each.field} for each in found]
    assert sorted(causes, key=str) == sorted(answer.body["details"]["causes"], key=str)
    assert all(str(each) in answer.body["message"] for each in found)


@pytest.mark.parametrize("answer", [each for each in CUSTOM if "validation" in each.step], ids=str)
def test_unknown_fields_are_listed_in_the_servers_order(answer: Answer) -> None:
    listed = ", ".join(f'unknown field "{path}"' for path in unknown_fields(answer.step["body"], answer.schema))
    assert answer.body["message"].endswith(f"strict decoding error: {listed}")


@pytest.mark.parametrize("answer", [each for each in JSON if each.status == 422], ids=str)
def test_a_json_patch_that_does_not_fit_is_refused(answer: Answer) -> None:
    with pytest.raises(PatchRefused) as caught:
        json_patched(answer.before, answer.step["body"])
    assert str(caught.value) == answer.body["message"]
