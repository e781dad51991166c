"""What a node controller says of a node whose beats it missed is put right by the node itself."""

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.resource import ObjectKey
from support.clock import settle
from support.simulated import TEAM, Object, condition, container, simulated

BEAT_SECONDS = 10.0
LIFE_SECONDS = 5.0


def not_ready(obj: Object, status: str) -> Object:
    """The patch by which a node controller takes the Ready condition away."""
    conditions = [
        {**each, "status": status} if each["type"] == "Ready" else each for each in obj["status"]["conditions"]
    ]
    return {"status": {"conditions": conditions}}


async def test_a_node_that_was_called_lost_is_well_again_after_its_next_beat() -> None:
    async with simulated() as bench:
        patch = not_ready(await bench.get(NODES, "gpu-0"), "Unknown")
        lost = await bench.api.patch(NODES, ObjectKey("", "gpu-0"), patch, subresource="status")
        assert condition(lost, "Ready")["status"] == "Unknown"
        await bench.clock.advance(BEAT_SECONDS)
        assert condition(await bench.get(NODES, "gpu-0"), "Ready")["status"] == "True"


async def test_a_pod_that_was_called_lost_is_ready_again() -> None:
    async with simulated() as bench:
        await bench.make(PODS, "one", spec={"containers": [container()]})
        await bench.clock.advance(LIFE_SECONDS)
        pod = await bench.get(PODS, "one")
        assert condition(pod, "Ready")["status"] == "True"
        lost = await bench.api.patch(PODS, ObjectKey(TEAM, "one"), not_ready(pod, "False"), subresource="status")
        assert condition(lost, "Ready")["status"] == "False"
        await settle()
        assert condition(await bench.get(PODS, "one"), "Ready")["status"] == "True"


async def test_a_node_that_was_deleted_by_hand_is_not_made_again() -> None:
    async with simulated() as bench:
        await bench.delete(NODES, "cpu-0")
        await bench.clock.advance(BEAT_SECONDS * 2)
        assert await bench.gone(NODES, "cpu-0")
