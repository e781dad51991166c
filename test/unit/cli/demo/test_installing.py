"""What the demo puts into its cluster, and what it says when it may not."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from aiop.cli.demo import installing
from aiop.cli.demo.errors import DemoError
from aiop.cli.demo.installing import install_definitions, install_samples
from aiop.runtime.client.client import Client
from aiop.runtime.client.transport import Request, Response
from support.clock import FakeClock
from support.transport import ScriptedTransport, echo, ok, refusal

KINDS = "/apis/geartickler.com/v1alpha1"
CLAIM: Mapping[str, Any] = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models"},
    "spec": {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "10Gi"}}},
}
WORKLOAD: Mapping[str, Any] = {"kind": "AIWorkload", "metadata": {"name": "iris"}, "spec": {}}


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    given: list[Mapping[str, Any]] = [CLAIM, WORKLOAD]
    monkeypatch.setattr(installing, "sample_objects", lambda: iter(given))
    return given


def client_of(transport: ScriptedTransport) -> Client:
    return Client(transport, clock=FakeClock())


async def test_definitions_are_applied_and_waited_for_until_they_are_served() -> None:
    asked = 0

    async def answer(request: Request) -> Response:
        nonlocal asked
        if request.method != "GET":
            return await echo(request)
        asked += 1
        return refusal(404, "NotFound") if asked == 1 else ok({"items": []})

    transport = ScriptedTransport(answer)
    await install_definitions(client_of(transport))
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert transport.lines() == [
        f"PATCH {crds}/aiworkloads.geartickler.com",
        f"PATCH {crds}/servingruntimes.geartickler.com",
        *[f"GET {KINDS}/aiworkloads?limit=1"] * 2,
        f"GET {KINDS}/servingruntimes?limit=1",
    ]


async def test_definitions_that_are_never_served_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: Request) -> Response:
        return refusal(404, "NotFound") if request.method == "GET" else await echo(request)

    monkeypatch.setattr(installing, "_ESTABLISHED_SECONDS", 0.0)
    with pytest.raises(DemoError, match="does not serve our kinds"):
        await install_definitions(client_of(ScriptedTransport(answer)))


@pytest.mark.usefixtures("samples")
async def test_samples_go_into_the_namespace_and_the_workloads_are_named() -> None:
    transport = ScriptedTransport()
    assert await install_samples(client_of(transport), "team", volumes=False) == ["iris"]
    assert transport.lines() == [
        "PATCH /api/v1/namespaces/team/persistentvolumeclaims/models",
        f"PATCH {KINDS}/namespaces/team/aiworkloads/iris",
    ]


@pytest.mark.usefixtures("samples")
async def test_where_nobody_provisions_each_claim_gets_a_volume_of_its_own_first() -> None:
    transport = ScriptedTransport()
    await install_samples(client_of(transport), "team", volumes=True)
    assert transport.lines()[0] == "PATCH /api/v1/persistentvolumes/team-models"
    spec = transport.bodies()[0]["spec"]
    assert spec["claimRef"] == {"namespace": "team", "name": "models"}
    assert (spec["capacity"], spec["accessModes"]) == ({"storage": "10Gi"}, ["ReadOnlyMany"])


@pytest.mark.usefixtures("samples")
async def test_a_sample_that_is_refused_is_named_with_the_servers_reason() -> None:
    async def answer(_request: Request) -> Response:
        return refusal(403, "Forbidden")

    with pytest.raises(DemoError, match=re.escape("PersistentVolumeClaim models was refused: 403 Forbidden")):
        await install_samples(client_of(ScriptedTransport(answer)), "team", volumes=False)


async def test_a_sample_of_a_kind_that_nobody_knows_is_refused(samples: list[Mapping[str, Any]]) -> None:
    samples.append({"kind": "Secret", "metadata": {"name": "s"}})
    with pytest.raises(DemoError, match="'Secret'"):
        await install_samples(client_of(ScriptedTransport()), "team", volumes=False)
