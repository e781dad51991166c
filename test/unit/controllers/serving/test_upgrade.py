"""What an operator finds that another version of it left: it may change no server that lives."""

import json
from pathlib import Path
from typing import Any

import pytest

from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.kinds import SERVICEMONITORS
from aiop.controllers.serving.names import FIELD_MANAGER
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    SERVICES,
)
from aiop.runtime.controller.drift import intent_hash
from support.servingworld import Thing, World

# By a name: a spec, and the children that version 0.1.0 made of it, each with the hash of what was intended.
WRITTEN: dict[str, Any] = json.loads(Path(__file__).with_name("written_by_0_1_0.json").read_text())
KINDS = {
    each.kind: each
    for each in (
        CONTROLLERREVISIONS,
        DEPLOYMENTS,
        HORIZONTALPODAUTOSCALERS,
        INGRESSES,
        PODDISRUPTIONBUDGETS,
        SERVICES,
    )
}


def upgraded(name: str, cluster: Cluster | None = None) -> World:
    world = World(spec=dict(WRITTEN[name]["spec"]), cluster=cluster or Cluster())
    for number, each in enumerate(WRITTEN[name]["children"]):
        kind = KINDS[each["kind"]]
        world.things[kind, each["name"]] = Thing(
            kind, each["name"], f"made-{number}", each["body"], replicas_owner=FIELD_MANAGER
        )
    world.kubernetes()
    return world


@pytest.mark.parametrize("name", WRITTEN)
def test_a_new_version_of_the_operator_writes_nothing_anew_but_what_exposes(name: str) -> None:
    plan = upgraded(name).plan()
    assert plan.refusal is None
    assert not plan.deletions
    intended = {(child.resource.kind, child.key.name): intent_hash(child.body) for step in plan.steps for child in step}
    written = {(each["kind"], each["name"]): each["intent"] for each in WRITTEN[name]["children"]}
    assert intended.keys() == written.keys()
    # A ControllerRevision's data are never written again, whatever is recorded today.
    changed = {kind for (kind, child), intent in intended.items() if intent != written[kind, child]}
    assert changed <= {"Ingress", "ControllerRevision"}


@pytest.mark.parametrize("name", WRITTEN)
def test_no_server_starts_anew_after_an_upgrade(name: str) -> None:
    world = upgraded(name)
    before = {pod.uid for pod in world.pods}
    templates = [thing.content["template"] for thing in world.of(DEPLOYMENTS)]
    world.settle()
    assert {pod.uid for pod in world.pods} == before
    assert [thing.content["template"] for thing in world.of(DEPLOYMENTS)] == templates


def test_the_first_new_version_after_an_upgrade_rolls_out_as_any_other() -> None:
    world = upgraded("bert")
    world.settle()
    world.change(modelVersion="v2")
    world.settle()
    assert world.counts() == {"v2": 2}


def test_servers_that_were_recorded_without_their_metrics_are_scraped_too() -> None:
    world = upgraded("bert", Cluster(monitors=SERVICEMONITORS))
    world.settle()
    (monitor,) = world.of(SERVICEMONITORS)
    assert monitor.content["endpoints"] == [{"port": "metrics", "path": "/metrics"}]
    del world.runtimes["triton"]
    world.settle()
    assert world.of(SERVICEMONITORS) == [], "nobody knows any more"


def test_servers_whose_runtime_shows_no_metrics_are_not_scraped_after_an_upgrade_either() -> None:
    world = upgraded("image", Cluster(monitors=SERVICEMONITORS))
    world.settle()
    assert world.of(SERVICEMONITORS) == []
