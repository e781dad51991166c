"""The Deployment controller as its users see it; statuses and words are those of a real 1.37 control plane."""

import pytest

from aiop.runtime.client.builtin import DEPLOYMENTS, PODS, REPLICASETS
from aiop.sim.cluster.deployment import REVISION
from support.simulated import Bench, Object, condition, container, simulated


def image(name: str) -> Object:
    return {"spec": {"template": {"spec": {"containers": [container(name)]}}}}


async def sizes(bench: Bench) -> dict[str, int]:
    """Replicas by image."""
    sets = await bench.all(REPLICASETS)
    return {each["spec"]["template"]["spec"]["containers"][0]["image"]: each["spec"]["replicas"] for each in sets}


async def test_an_update_never_has_fewer_ready_pods_than_promised_nor_more_than_the_surge() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 4)
        await bench.clock.advance(5)
        await bench.change(DEPLOYMENTS, "web", image("serve:2"))
        for _ in range(60):
            await bench.clock.advance(0.1)
            pods = [pod for pod in await bench.all(PODS) if "deletionTimestamp" not in pod["metadata"]]
            ready = [pod for pod in pods if condition(pod, "Ready").get("status") == "True"]
            assert len(ready) >= 3
            assert len(pods) <= 5
        assert await sizes(bench) == {"serve:1": 0, "serve:2": 4}
        status = (await bench.get(DEPLOYMENTS, "web"))["status"]
        assert (status["updatedReplicas"], status["availableReplicas"]) == (4, 4)


async def test_going_back_to_an_older_template_takes_its_replica_set_up_again() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 1)
        await bench.clock.advance(5)
        for name in ("serve:2", "serve:1"):
            await bench.change(DEPLOYMENTS, "web", image(name))
            await bench.clock.advance(5)
        assert await sizes(bench) == {"serve:1": 1, "serve:2": 0}
        deployment = await bench.get(DEPLOYMENTS, "web")
        assert deployment["metadata"]["annotations"][REVISION] == "3"


async def test_an_image_that_is_missing_leaves_the_old_pods_serving_and_the_deadline_is_told() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 2, progressDeadlineSeconds=20)
        await bench.clock.advance(5)
        await bench.change(DEPLOYMENTS, "web", image("no-such-image:1"))
        await bench.clock.advance(30)
        deployment = await bench.get(DEPLOYMENTS, "web")
        assert condition(deployment, "Available")["status"] == "True"
        said = condition(deployment, "Progressing")
        assert (said["status"], said["reason"]) == ("False", "ProgressDeadlineExceeded")
        assert said["message"].endswith("has timed out progressing.")
        assert await sizes(bench) == {"serve:1": 2, "no-such-image:1": 1}


async def test_the_deadline_of_a_deployment_that_never_served_is_told_without_any_event() -> None:
    async with simulated() as bench:
        await bench.deploy("web", image="never-ready:1", progressDeadlineSeconds=10)
        await bench.clock.advance(60)
        assert condition(await bench.get(DEPLOYMENTS, "web"), "Progressing")["reason"] == "ProgressDeadlineExceeded"


async def test_recreate_ends_the_old_pods_before_it_starts_new_ones() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 3, strategy={"type": "Recreate"})
        await bench.clock.advance(5)
        await bench.change(DEPLOYMENTS, "web", image("serve:2"))
        for _ in range(40):
            await bench.clock.advance(0.1)
            images = {pod["spec"]["containers"][0]["image"] for pod in await bench.all(PODS)}
            assert len(images) < 2
        assert await sizes(bench) == {"serve:1": 0, "serve:2": 3}


async def test_a_paused_deployment_does_not_roll_but_scales() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 2)
        await bench.clock.advance(5)
        await bench.change(DEPLOYMENTS, "web", {"spec": {"paused": True, "replicas": 3, **image("serve:2")["spec"]}})
        await bench.clock.advance(5)
        assert await sizes(bench) == {"serve:1": 3}
        said = condition(await bench.get(DEPLOYMENTS, "web"), "Progressing")
        assert (said["status"], said["reason"]) == ("Unknown", "DeploymentPaused")
        await bench.change(DEPLOYMENTS, "web", {"spec": {"paused": False}})
        await bench.clock.advance(10)
        assert await sizes(bench) == {"serve:1": 0, "serve:2": 3}


@pytest.mark.parametrize("replicas", [0, 1, 6])
async def test_scaling_is_followed_without_a_new_revision(replicas: int) -> None:
    async with simulated() as bench:
        await bench.deploy("web", 3)
        await bench.clock.advance(5)
        await bench.change(DEPLOYMENTS, "web", {"spec": {"replicas": replicas}})
        await bench.clock.advance(5)
        deployment = await bench.get(DEPLOYMENTS, "web")
        assert deployment["status"].get("readyReplicas", 0) == replicas
        assert deployment["status"]["observedGeneration"] == 2
        assert deployment["metadata"]["annotations"][REVISION] == "1"
        assert condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"


async def test_old_replica_sets_beyond_the_history_limit_are_deleted() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 1, revisionHistoryLimit=1)
        await bench.clock.advance(5)
        for number in range(2, 6):
            await bench.change(DEPLOYMENTS, "web", image(f"serve:{number}"))
            await bench.clock.advance(5)
        assert await sizes(bench) == {"serve:4": 0, "serve:5": 1}


async def test_a_deployment_that_is_done_is_written_no_more() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 3)
        await bench.clock.advance(5)
        before = await bench.get(DEPLOYMENTS, "web")
        await bench.clock.advance(3600)
        assert await bench.get(DEPLOYMENTS, "web") == before


async def test_a_replica_set_scaled_by_hand_is_put_right() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 2)
        await bench.clock.advance(5)
        [found] = await bench.all(REPLICASETS)
        await bench.change(REPLICASETS, found["metadata"]["name"], {"spec": {"replicas": 5}})
        await bench.clock.advance(5)
        assert await sizes(bench) == {"serve:1": 2}
