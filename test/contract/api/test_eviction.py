"""Evictions, and the budgets that refuse them."""

import asyncio
from typing import Any

import pytest

from support.raw_api import RawAPI

PATIENCE_SECONDS = 120.0


async def make_pod(api: RawAPI, namespace: str, name: str, phase: str) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)  # unless a controller was quicker
    spec = {"nodeName": "no-such-node", "containers": [{"name": "main", "image": "serve:1"}]}
    meta = {"name": name, "labels": {"app": "web"}}
    answer = await api.post(
        f"/api/v1/namespaces/{namespace}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    )
    assert answer.status == 201, answer.body
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}
    answer = await api.patch(f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": status})
    assert answer.status == 200, answer.body


async def budget(api: RawAPI, namespace: str, name: str = "web", *, healthy: int = 0, **spec: Any) -> None:
    """A budget, once the server allows for it and has counted so many healthy pods."""
    path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    selector = {"matchLabels": {"app": "web"}}
    body = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": selector, **spec},
    }
    assert (await api.post(path, body)).status == 201
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            status = (await api.get(f"{path}/{name}")).body.get("status", {})
            if status.get("observedGeneration") and status.get("currentHealthy", 0) >= healthy:
                return
            await asyncio.sleep(0.05)


async def evict(api: RawAPI, namespace: str, name: str, **options: Any) -> Any:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    return await api.post(
        f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", {**body, "deleteOptions": options} if options else body
    )


async def terminating(api: RawAPI, namespace: str, name: str) -> bool:
    found = await api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return found.status == 404 or "deletionTimestamp" in found.body["metadata"]


async def test_a_pod_without_a_budget_is_deleted(api: RawAPI, namespace: str) -> None:
    await make_pod(api, namespace, "a", "Running")
    answer = await evict(api, namespace, "a")
    assert (answer.status, answer.body["status"]) == (201, "Success")
    assert await terminating(api, namespace, "a")
    assert (await evict(api, namespace, "missing")).status == 404


async def test_a_budget_gives_no_more_than_it_has(api: RawAPI, namespace: str) -> None:
    for name in ("a", "b", "c"):
        await make_pod(api, namespace, name, "Running")
    await budget(api, namespace, healthy=3, minAvailable=2)
    answers = await asyncio.gather(*(evict(api, namespace, name) for name in ("a", "b", "c")))
    assert sorted(answer.status for answer in answers) == [201, 429, 429]
    refusal = next(answer for answer in answers if answer.status == 429)
    assert (refusal.status, refusal.body["reason"]) == (429, "TooManyRequests")
    assert refusal.body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    [cause] = refusal.body["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert sum([await terminating(api, namespace, name) for name in ("a", "b", "c")]) == 1


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
async def test_a_pod_that_does_not_run_is_evicted_whatever_its_budget(api: RawAPI, namespace: str, phase: str) -> None:
    await make_pod(api, namespace, "a", phase)
    await budget(api, namespace, minAvailable=5)
    assert (await evict(api, namespace, "a")).status == 201


async def test_a_trial_run_and_a_failed_precondition_cost_nothing(api: RawAPI, namespace: str) -> None:
    for name in ("a", "b"):
        await make_pod(api, namespace, name, "Running")
    await budget(api, namespace, healthy=2, minAvailable=1)
    assert (await evict(api, namespace, "a", dryRun=["All"])).status == 201
    assert not await terminating(api, namespace, "a")
    wrong = "00000000-0000-0000-0000-000000000000"
    assert (await evict(api, namespace, "b", preconditions={"uid": wrong})).status == 409
    assert not await terminating(api, namespace, "b")


async def test_two_budgets_of_one_pod_are_a_fault(api: RawAPI, namespace: str) -> None:
    await make_pod(api, namespace, "a", "Running")
    for name in ("one", "two"):
        await budget(api, namespace, name, minAvailable=0)
    assert (await evict(api, namespace, "a")).status == 500
