"""What the operator makes of any workload: kinds that give nobody a right, in its own namespace, and no secret."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.exposure.kinds import HTTPROUTES, MIDDLEWARES, PODMONITORS, SERVICEMONITORS
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    SERVICES,
)
from aiop.runtime.controller.children import Child
from support.servingspecs import raw_workloads
from support.servingworld import World

# None of these grants a right, runs before others, or holds secret data.
KINDS = {
    *(CONTROLLERREVISIONS, DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, INGRESSES, PODDISRUPTIONBUDGETS, SERVICES),
    *(HTTPROUTES, MIDDLEWARES, PODMONITORS, SERVICEMONITORS),
}
# What people ask for who know what a PodSpec can do, at the places where others have fallen for it.
ESCAPES: dict[str, Any] = {
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "automountServiceAccountToken": True,
    "shareProcessNamespace": True,
    "securityContext": {"privileged": True, "runAsUser": 0, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    "podSpecPatch": '{"hostNetwork": true}',
    "template": {"spec": {"hostNetwork": True}},
    "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
    "volumeMounts": [{"name": "host", "mountPath": "/host"}],
    "initContainers": [{"name": "x", "image": "x", "securityContext": {"privileged": True}}],
    "ephemeralContainers": [{"name": "x", "image": "x"}],
    "containers": [{"name": "x", "image": "x"}],
    "runtimeClassName": "none",
    "schedulerName": "mine",
    "nodeName": "master-1",
    "hostname": "x",
    "hostAliases": [{"ip": "169.254.169.254", "hostnames": ["x"]}],
    "dnsConfig": {"nameservers": ["192.0.2.1"]},
    "lifecycle": {"preStop": {"httpGet": {"host": "169.254.169.254", "port": 80}}},
    "capabilities": {"add": ["SYS_ADMIN"]},
    "procMount": "Unmasked",
    "hostPort": 80,
    "host": "169.254.169.254",
    "namespace": "kube-system",
}
escapes = st.dictionaries(st.sampled_from(sorted(ESCAPES)), st.none(), min_size=1, max_size=6).map(
    lambda chosen: {name: ESCAPES[name] for name in chosen}
)


def children(spec: dict[str, Any]) -> list[Child]:
    """All that is planned for a workload of that spec, as it is stored."""
    plan = World(spec=spec).plan()
    return [child for step in plan.steps for child in step]


def plain(child: Child) -> Any:
    return msgspec.json.decode(msgspec.json.encode(child.body))


@pytest.mark.security(7, 8, 9)
@given(raw_workloads)
@settings(max_examples=100)
def test_no_child_grants_a_right_or_lies_elsewhere(spec: dict[str, Any]) -> None:
    for child in children(spec):
        assert child.resource in KINDS
        assert child.resource.namespaced
        assert child.key.namespace == "default"


@pytest.mark.security(18)
@given(raw_workloads)
@settings(max_examples=50)
def test_no_service_is_reached_from_outside_by_itself(spec: dict[str, Any]) -> None:
    for child in children(spec):
        if child.resource == SERVICES:
            body = plain(child)["spec"]
            assert body.get("type", "ClusterIP") == "ClusterIP"
            assert not {"externalIPs", "externalName", "loadBalancerIP"} & set(body)
            assert not any("nodePort" in port for port in body["ports"])


@pytest.mark.security(11)
@given(raw_workloads, escapes, escapes)
@settings(max_examples=150)
def test_fields_that_are_not_on_the_list_change_nothing(
    spec: dict[str, Any], outer: dict[str, Any], nested: dict[str, Any]
) -> None:
    """As they would come from a store that kept what the schema prunes."""
    mine = set(spec)
    hostile = {**{name: value for name, value in outer.items() if name not in mine}, **spec}
    for name in ("env", "ports", "tolerations"):
        if hostile.get(name):
            hostile[name] = [{**nested, **each} for each in hostile[name]]
    if hostile.get("probes"):
        hostile["probes"] = {name: {**nested, **each} for name, each in hostile["probes"].items()}
    assert [plain(child) for child in children(hostile)] == [plain(child) for child in children(spec)]


@pytest.mark.security(27)
@given(raw_workloads)
@settings(max_examples=50)
def test_what_may_be_secret_is_in_the_pods_alone(spec: dict[str, Any]) -> None:
    """Variables and arguments hold passwords, whatever people are told."""
    secret = "hunter2-in-a-variable"
    spec = {**spec, "env": [{"name": "PASSWORD", "value": secret}], "args": [f"--password={secret}"]}
    for child in children(spec):
        body = plain(child)
        assert secret not in str(body["metadata"])
        if child.resource not in {DEPLOYMENTS, CONTROLLERREVISIONS}:
            assert secret not in str(body)
