"""The line from a Deployment to an endpoint that serves."""

from aiop.runtime.client.builtin import DEPLOYMENTS, ENDPOINTSLICES, NODES, PODS, REPLICASETS, SERVICES
from support.simulated import Bench, condition, container, simulated

ONE_PORT = {"name": "http", "port": 80, "targetPort": "http"}


async def ready_endpoints(bench: Bench) -> list[str]:
    slices = await bench.all(ENDPOINTSLICES)
    endpoints = [each for found in slices for each in found["endpoints"] or []]
    return [each["targetRef"]["name"] for each in endpoints if each["conditions"]["ready"]]


async def test_a_deployment_becomes_pods_that_serve_behind_its_service() -> None:
    async with simulated() as bench:
        await bench.make(SERVICES, "web", spec={"selector": {"app": "web"}, "ports": [ONE_PORT]})
        await bench.deploy("web", 3)
        await bench.clock.advance(5)
        deployment = await bench.get(DEPLOYMENTS, "web")
        assert deployment["status"]["readyReplicas"] == 3
        assert condition(deployment, "Available")["reason"] == "MinimumReplicasAvailable"
        assert condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
        pods = await bench.all(PODS)
        assert sorted(await ready_endpoints(bench)) == sorted(pod["metadata"]["name"] for pod in pods)
        [found] = await bench.all(ENDPOINTSLICES)
        assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
        assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "web"


async def test_deleting_a_deployment_leaves_nothing_behind() -> None:
    async with simulated() as bench:
        await bench.deploy("web", 3)
        await bench.clock.advance(5)
        await bench.delete(DEPLOYMENTS, "web")
        await bench.clock.advance(5)
        assert await bench.all(REPLICASETS) == []
        assert await bench.all(PODS) == []


async def test_a_pod_that_no_node_can_hold_says_so_in_the_schedulers_words() -> None:
    async with simulated() as bench:
        gpus = {"limits": {"nvidia.com/gpu": "99"}}
        await bench.deploy("web", pod={"containers": [container(resources=gpus)]})
        await bench.clock.advance(1)
        [pod] = await bench.all(PODS)
        said = condition(pod, "PodScheduled")
        assert (said["status"], said["reason"]) == ("False", "Unschedulable")
        assert said["message"] == (
            "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. "
            "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
        )


async def test_a_waiting_pod_is_placed_once_its_node_has_room() -> None:
    async with simulated() as bench:
        await bench.deploy("web", pod={"containers": [container()], "nodeSelector": {"zone": "a"}})
        await bench.clock.advance(1)
        await bench.change(NODES, "cpu-0", {"metadata": {"labels": {"zone": "a"}}})
        await bench.clock.advance(5)
        [pod] = await bench.all(PODS)
        assert pod["spec"]["nodeName"] == "cpu-0"
        assert condition(pod, "PodScheduled")["status"] == "True"
        assert condition(pod, "Ready")["status"] == "True"
