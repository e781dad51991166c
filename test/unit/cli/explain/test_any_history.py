"""Whatever has happened to a workload: explain and the conditions name the same cause, and never disagree."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.cli.explain.workload.explain import explained
from support.evidence import evidence_of, looked_at
from support.servinghistory import act, actions
from support.servingworld import World


@given(st.lists(actions, max_size=25))
@settings(max_examples=60, deadline=None)
def test_the_same_state_has_the_same_cause_in_the_conditions_and_in_the_explanation(story: list[Any]) -> None:
    world = World()
    for action, value in story:
        act(world, action, value)
        world.reconcile()
        looked_at(world)
        said = {each["type"]: each for each in msgspec.json.decode(world.status)["conditions"]}
        found = explained(evidence_of(world))
        assert found.notes == ()
        assert found.healthy == (said["Ready"]["status"] == "True"), (found.cause, said["Ready"])
        if found.cause is not None:
            assert found.cause.reason in {each["reason"] for each in said.values()}
