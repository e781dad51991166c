"""The controllers and kubelets behind the server, as kubectl sees their work."""

import json

from support.kubectl import Kubectl, eventually
from unit.sim.server.manifests import deployment, job


def test_rollout_status_waits_until_every_pod_serves(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", replicas=2))
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    status = kubectl.get("deployment", "web")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (2, 2)
    row = kubectl("get", "deployment", "web", "--no-headers").split()
    assert row[:4] == ["web", "2/2", "2", "2"]


def test_a_rollout_can_be_undone(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("set", "image", "deployment/web", "main=serve:2")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert _image(kubectl) == "serve:1"
    history = kubectl("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["2", "3"]


def test_a_restart_replaces_the_pods(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    [before] = kubectl.items("pods")
    kubectl("rollout", "restart", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    names = [pod["metadata"]["name"] for pod in kubectl.items("pods", "--field-selector", "status.phase=Running")]
    assert any(name != before["metadata"]["name"] for name in names)


def test_a_missing_image_is_told_in_the_table_of_pods(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", image="no-such-image:1"))
    words = {"ErrImagePull", "ImagePullBackOff"}
    eventually(lambda: words & set(kubectl("get", "pods", "--no-headers").split()))


def test_a_job_is_waited_for_until_it_is_complete(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps(job("sums")))
    kubectl("wait", "job/sums", "--for=condition=Complete", "--timeout=60s")
    assert kubectl("get", "job", "sums", "--no-headers").split()[:3] == ["sums", "Complete", "1/1"]
    assert "1 Succeeded" in kubectl("describe", "job", "sums")


def test_a_job_whose_pod_crashes_fails(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps(job("sums", image="crashes:1")))
    kubectl("wait", "job/sums", "--for=condition=Failed", "--timeout=60s")
    assert kubectl("get", "job", "sums", "--no-headers").split()[:3] == ["sums", "Failed", "0/1"]


def test_a_service_gets_an_endpoint_for_each_ready_pod(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", replicas=2))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    addresses = {pod["status"]["podIP"] for pod in kubectl.items("pods")}
    eventually(lambda: addresses and addresses == _endpoints(kubectl), told=lambda: _endpoints(kubectl))


def test_a_pod_that_asks_for_more_gpus_than_there_are_waits_and_says_why(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", gpus=9))
    eventually(lambda: "Insufficient nvidia.com/gpu" in kubectl("describe", "pods"))
    assert kubectl("get", "pods", "--no-headers").split()[2] == "Pending"


def test_all_shows_a_deployment_with_everything_under_it(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kinds = [line.partition("/")[0] for line in kubectl("get", "all", "-o", "name").split()]
    assert sorted(kinds) == ["deployment.apps", "pod", "replicaset.apps"]


def _image(kubectl: Kubectl) -> str:
    [container] = kubectl.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
    image: str = container["image"]
    return image


def _endpoints(kubectl: Kubectl) -> set[str]:
    slices = kubectl.items("endpointslices", "-l", "kubernetes.io/service-name=web")
    return {
        address
        for found in slices
        for endpoint in found["endpoints"] or []
        if endpoint["conditions"]["ready"]
        for address in endpoint["addresses"]
    }
