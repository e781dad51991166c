"""Whatever people do to a workload and its children, in whatever order: the end is what was asked for, and quiet."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.api.aiworkloadstatus import AIWorkloadStatus
from aiop.controllers.serving.plan import make_plan
from aiop.controllers.serving.reasons import REASONS
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, SERVICES
from support.servinghistory import SCALED, VERSIONS, act, actions
from support.servingworld import World

KNOWN = {(reason.name, condition) for reason in REASONS for condition in reason.conditions}


def look(world: World) -> dict[str, tuple[str, str]]:
    """The conditions, after a check of what must hold of every status."""
    observed = world.observe()
    plan = make_plan(observed, world.specs, world.settings, world.now)
    report = make_report(observed, plan, Hindrance(), datetime(2026, 1, 1, tzinfo=UTC))
    world.status = report.status
    AIWorkloadStatus.model_validate_json(report.status, extra="forbid")
    found = {each.type: (each.status, each.reason) for each in report.after}
    assert {(reason, kind) for kind, (_, reason) in found.items()} <= KNOWN
    told = [found["Ready"][0] == "True", "Reconciling" in found, "Stalled" in found]
    assert told.count(True) == 1 or found["Ready"][1] == "NoReadyEndpoint"
    assert (found["Available"][0] == "True") == any(pod.ready for pod in world.pods)
    shares = [row["traffic"] for row in msgspec.json.decode(report.status)["versions"]]
    assert all(0 <= share <= 100 for share in shares)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=14), st.integers(1, 3))
def test_every_history_ends_as_asked_and_then_costs_nothing(history: list[tuple[str, Any]], pace: int) -> None:
    world = World(ready_at_once=pace)
    for action, value in history:
        act(world, action, value)
        world.step()
        look(world)
    world.broken.clear()
    world.capacity = 1000
    scaling = world.spec.get("autoscaling")
    world.change(modelName="bert", framework="ONNX", modelVersion="v9", replicas=3)
    world.settle()
    (count,) = world.counts().values()
    assert set(world.counts()) == {"v9"}
    if scaling and scaling["enabled"]:
        (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
        assert autoscaler.content["scaleTargetRef"]["name"] == world.deployment("v9").name
    else:
        assert count == 3
    assert look(world)["Ready"] == ("True", "Serving")
    assert len(world.of(DEPLOYMENTS)) <= 3
    assert len(world.of(SERVICES)) <= 4
    before = world.writes
    for _ in range(3):
        world.step()
    assert world.writes == before


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VERSIONS), st.booleans(), st.integers(1, 4)), max_size=8), st.booleans())
def test_versions_that_come_and_go_never_cost_a_ready_server(
    history: list[tuple[str, bool, int]], scaled: bool
) -> None:
    world = World(ready_at_once=1)
    world.change(replicas=3, autoscaling={**SCALED, "minReplicas": 3} if scaled else None)
    world.settle()
    for version, works, steps in history:
        (world.broken.discard if works or version == "v1" else world.broken.add)(version)
        world.change(modelVersion=version)
        for _ in range(steps):
            world.step()
            assert world.ready() >= 3
    world.broken.clear()
    for _ in range(60):
        world.step()
        assert world.ready() >= 3
    assert set(world.counts()) == {world.spec["modelVersion"]}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(VERSIONS), st.booleans(), st.integers(1, 8)), max_size=8),
    st.booleans(),
    st.integers(2, 5),
)
def test_versions_that_come_and_go_in_a_full_cluster_cost_one_ready_server_at_most(
    history: list[tuple[str, bool, int]], scaled: bool, servers: int
) -> None:
    world = World(ready_at_once=1, capacity=servers)
    world.change(replicas=servers, autoscaling={**SCALED, "minReplicas": servers} if scaled else None)
    world.settle()
    for version, works, steps in history:
        (world.broken.discard if works or version == "v1" else world.broken.add)(version)
        world.change(modelVersion=version)
        for _ in range(steps):
            world.step()
            assert world.ready() >= servers - 1
    world.broken.clear()
    for _ in range(60):
        world.step()
        assert world.ready() >= servers - 1
    assert world.counts() == {world.spec["modelVersion"]: servers}
