"""Argo CD's health check, run in Lua over statuses that the controller makes, beside kstatus."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.plan import make_plan
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.verdict import Hindrance
from hack.generated.argocd import HEALTH, KEY
from support.lua import run_health_check
from support.servingworld import World

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AS_KSTATUS = {"Healthy": "Current", "Suspended": "Current", "Progressing": "InProgress", "Degraded": "Failed"}


def seen(world: World, hindrance: Hindrance | None = None) -> dict[str, Any]:
    """The workload with the status that the controller writes."""
    observed = world.observe()
    plan = make_plan(observed, world.specs, world.settings, world.now)
    world.status = make_report(observed, plan, hindrance or Hindrance(), NOW).status
    return as_it_is(world)


def as_it_is(world: World) -> dict[str, Any]:
    """The workload with the status that it has."""
    metadata = {"name": "bert", "generation": world.generation}
    return {"metadata": metadata, "spec": world.spec, "status": msgspec.json.decode(world.status)}


def served(**fields: Any) -> World:
    world = World()
    world.change(**fields)
    world.settle()
    return world


def unseen() -> dict[str, Any]:
    return {"metadata": {"name": "bert", "generation": 1}, "spec": World().spec}


def changed_but_not_seen() -> dict[str, Any]:
    world = served()
    seen(world)
    world.change(modelVersion="v2")
    return as_it_is(world)


def rolling(**fields: Any) -> World:
    world = served(replicas=2)
    world.broken.add("v2")
    world.change(modelVersion="v2", **fields)
    world.settle()
    return world


def overdue() -> World:
    world = rolling()
    world.overdue.add("v2")
    return world


def without_endpoints() -> World:
    world = served()
    for pod in world.pods:
        pod.ready = False
    return world


EXAMPLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "before the operator's first look": (unseen(), "Progressing", "has not looked at it yet"),
    "before the operator's look at a change": (changed_but_not_seen(), "Progressing", "this generation"),
    "at the first look": (seen(World()), "Progressing", "rolling out v1"),
    "served": (seen(served()), "Healthy", "v1 serves with 2 of 2 servers ready"),
    "scaled to zero": (seen(served(replicas=0)), "Suspended", "nothing serves, as asked"),
    "rolling": (seen(rolling()), "Progressing", "the last revision serves meanwhile"),
    "overdue": (seen(overdue()), "Degraded", "ProgressDeadlineExceeded: no progress for"),
    "all servers lost": (seen(without_endpoints()), "Progressing", "0 of 2 pods are ready"),
    "a spec that makes no sense": (seen(served(replicas="many")), "Degraded", "InvalidSpec: "),
    "a stranger's object": (
        seen(served(), Hindrance(conflicts=("Service bert",))),
        "Degraded",
        "NameConflict: Service bert",
    ),
    "a child that is forbidden": (
        seen(served(), Hindrance(refusal=ChildRefused("QuotaExceeded", "exceeded quota"))),
        "Degraded",
        "exceeded quota",
    ),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, str]]:
    found = run_health_check(ROOT / HEALTH, [example for example, _, _ in EXAMPLES.values()])
    return dict(zip(EXAMPLES, found, strict=True))


def kstatus(each: dict[str, Any]) -> str:
    """What kstatus computes of a custom object (sigs.k8s.io/cli-utils, generic rules)."""
    status = each.get("status", {})
    if status.get("observedGeneration") != each["metadata"]["generation"]:
        return "InProgress"
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
    if conditions.get("Stalled") == "True":
        return "Failed"
    if conditions.get("Reconciling") == "True" or conditions.get("Ready") != "True":
        return "InProgress"
    return "Current"


@pytest.mark.parametrize("name", EXAMPLES)
def test_argo_cd_says_how_a_workload_is_and_why(answers: dict[str, dict[str, str]], name: str) -> None:
    _, status, words = EXAMPLES[name]
    assert answers[name]["status"] == status
    assert words in answers[name]["message"]
    assert answers[name].keys() == {"status", "message"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_argo_cd_and_kstatus_agree(answers: dict[str, dict[str, str]], name: str) -> None:
    example, _, _ = EXAMPLES[name]
    assert AS_KSTATUS[answers[name]["status"]] == kstatus(example)


def test_every_answer_of_argo_cd_is_given_somewhere() -> None:
    assert {status for _, status, _ in EXAMPLES.values()} == set(AS_KSTATUS)


def test_the_manifest_holds_the_script_to_the_letter() -> None:
    manifest = yaml.safe_load((ROOT / "manifests" / "argocd" / "argocd-cm.yaml").read_text())
    assert manifest["data"] == {KEY: (ROOT / HEALTH).read_text()}
