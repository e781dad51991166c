"""What an eviction costs a budget, seen without the controller that counts anew."""

import asyncio
import random

import pytest

from aiop.runtime.client.builtin import PODDISRUPTIONBUDGETS, PODS
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.server import APIServer
from aiop.sim.server.eviction import evict
from aiop.sim.server.refusals import Refused
from aiop.sim.server.registry import Object, Registry
from aiop.sim.server.requests import WriteOptions


def make(registry: Registry, resource: Resource, name: str, spec: Object, status: Object) -> None:
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, "spec": spec}
    kind = registry.kinds.of(resource)
    made = registry.create(kind, "default", body, WriteOptions())
    key = ObjectKey("default", name)
    registry.update(kind, key, {**made, "status": status}, WriteOptions(), subresource="status")


@pytest.fixture
async def registry() -> Registry:
    registry = (await asyncio.to_thread(APIServer, SystemClock(), random=random.Random(1))).registry
    for name, ready in (("a", "True"), ("sick", "False")):
        spec = {"nodeName": "node", "containers": [{"name": "main", "image": "serve:1"}]}
        make(registry, PODS, name, spec, {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]})
    counted = {"disruptionsAllowed": 1, "observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1}
    make(registry, PODDISRUPTIONBUDGETS, "web", {"selector": {"matchLabels": {"app": "web"}}}, {
        **counted, "expectedPods": 2,
    })  # fmt: skip
    return registry


def left(registry: Registry) -> int:
    found = registry.get(registry.kinds.of(PODDISRUPTIONBUDGETS), ObjectKey("default", "web")).obj
    return int(found["status"]["disruptionsAllowed"])


async def test_an_eviction_costs_one(registry: Registry) -> None:
    evict(registry, ObjectKey("default", "a"), {})
    assert left(registry) == 0


async def test_a_precondition_that_does_not_hold_costs_nothing(registry: Registry) -> None:
    with pytest.raises(Refused, match="Precondition failed"):
        evict(registry, ObjectKey("default", "a"), {"deleteOptions": {"preconditions": {"uid": "another"}}})
    assert left(registry) == 1


async def test_a_trial_costs_nothing(registry: Registry) -> None:
    evict(registry, ObjectKey("default", "a"), {}, dry_run=True)
    assert left(registry) == 1


async def test_a_pod_that_is_not_ready_goes_uncounted_while_the_others_are_healthy(registry: Registry) -> None:
    evict(registry, ObjectKey("default", "sick"), {})
    assert left(registry) == 1


async def test_an_eviction_names_its_pod(registry: Registry) -> None:
    with pytest.raises(Refused, match="does not match"):
        evict(registry, ObjectKey("default", "a"), {"metadata": {"name": "b"}})
