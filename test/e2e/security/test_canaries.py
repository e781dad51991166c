"""Secrets that were planted wherever a tenant can write them: the operator shows them nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.installation import Installation, installation
from support.kubectl import Kubectl, eventually
from support.usedrights import used
from support.workloads import conditions, wait_for, workload

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.security(16, 27, 28)]
TEAM = "team-a"
# What people call secret, and where they write it all the same.
IN_A_SECRET, IN_A_FIELD = "canary-of-a-secret", "canary-of-a-field"
_SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}, "stringData": {"token": IN_A_SECRET}}
# Where a workload's text belongs, with all that is in it: its own objects, and what Kubernetes makes of them.
PODS = ("deployments", "replicasets", "pods", "controllerrevisions")


def planted(name: str, **spec: Any) -> dict[str, Any]:
    """A workload with a canary in each field that holds text of the tenant's own."""
    number = iter(range(100))

    def canary() -> str:
        return f"{IN_A_FIELD}-{next(number)}"

    expression = {"key": "disk", "operator": "NotIn", "values": [canary()]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    manifest = workload(
        name,
        **{
            "env": [
                {"name": "PASSWORD", "value": canary()},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "token"}}},
            ],
            "envFrom": [{"secretRef": {"name": "mine"}, "prefix": "MINE_"}],
            "args": [f"--password={canary()}"],
            "probes": {"liveness": {"type": "Exec", "command": ["check", canary()]}},
            "versions": [{"name": "v9", "env": [{"name": "PASSWORD", "value": canary()}], "args": [canary()]}],
            "tolerations": [{"key": "team", "operator": "Equal", "value": canary()}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
            **spec,
        },
    )
    manifest["metadata"] |= {"annotations": {"note": canary()}, "labels": {"note": canary()}}
    return manifest


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An operator that tells all it can, and has seen a workload in each state."""
    folder: Path = tmp_path_factory.mktemp("canaries")
    with installation(folder, [TEAM], "log.level=debug") as made:
        kubectl = made.inside(TEAM)
        kubectl.apply(_SECRET)
        made.operator.start()
        states(kubectl)
        yield made


def states(kubectl: Kubectl) -> None:
    """Served, rolled out, repaired, crashing, refused by the operator, refused by the API server, and gone."""
    kubectl.apply(planted("served"))
    wait_for(kubectl, "Ready", "True", name="served")
    kubectl.apply(planted("served", modelVersion="v9"))
    wait_for(kubectl, "Ready", "True", name="served")
    kubectl("delete", "service", "served")
    kubectl.apply(planted("crashing", image="registry.example/crashes:1"))
    wait_for(kubectl, "Degraded", "True", name="crashing")
    kubectl.apply(planted("refused", framework="Fortran"))
    wait_for(kubectl, "Accepted", "False", name="refused")
    # Kubernetes wants a value of `In`, which our schema cannot tell from none: its refusal may repeat what it refuses.
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "In", "values": []}]}]}}}  # fmt: skip
    kubectl.apply(planted("unfit", affinity=affinity))
    eventually(lambda: conditions(kubectl, "unfit").get("Ready", {}).get("status") == "False")
    kubectl.apply(planted("gone"))
    wait_for(kubectl, "Ready", "True", name="gone")
    kubectl("delete", "aiworkload", "gone")


def shown(here: Installation) -> dict[str, str]:
    """All that the operator says, and where."""
    kubectl = here.inside(TEAM)
    return {
        "log": here.said(),
        "metrics": here.operator.fetch(here.operator.metrics),
        "readiness": here.operator.readiness(),
        "events": "".join(json.dumps(each) for each in _by_us(kubectl.items("events.events.k8s.io"))),
        "status": "".join(json.dumps(each.get("status", {})) for each in kubectl.items("aiworkloads")),
    }


def _by_us(events: list[Any]) -> list[Any]:
    """Those that the operator signed; what a kubelet says of a probe is not its doing."""
    return [each for each in events if each.get("reportingController") == "aiop"]


def test_all_that_the_operator_says_has_something_in_it(here: Installation) -> None:
    said = shown(here)
    for place, word in {
        "log": "the operator starts",
        "metrics": "controller_runtime_reconcile_total",
        "readiness": "ok",
        "events": "served",
        "status": "Fortran",
    }.items():
        assert word in said[place], place


@pytest.mark.parametrize("place", ["log", "metrics", "readiness", "events", "status"])
@pytest.mark.parametrize("canary", [IN_A_SECRET, IN_A_FIELD])
def test_no_canary_is_shown(here: Installation, place: str, canary: str) -> None:
    text = shown(here)[place]
    at = text.find(canary)
    assert at < 0, text[max(0, at - 300) : at + 100]


def test_a_fields_text_is_in_the_pods_and_their_record_and_in_no_other_object(here: Installation) -> None:
    kubectl = here.inside(TEAM)
    labelled = ("-l", "geartickler.com/aiworkload")
    assert IN_A_FIELD in json.dumps(kubectl.items("deployments", *labelled))
    for kind in ("services", "ingresses", "hpa", "pdb"):
        assert IN_A_FIELD not in json.dumps(kubectl.items(kind, *labelled)), kind


def test_a_secrets_text_is_in_no_object_but_the_secret(here: Installation) -> None:
    kubectl = here.inside(TEAM)
    for kind in (*PODS, "services", "aiworkloads", "configmaps"):
        assert IN_A_SECRET not in json.dumps(kubectl.items(kind)), kind


def test_the_operator_never_asked_for_a_secret(here: Installation) -> None:
    use = used(here.plane.audit_log, "system:serviceaccount:aiop-system:aiop")
    assert "secrets" not in {right.resource for right in use.rights | use.forbidden}
