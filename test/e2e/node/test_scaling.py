"""The number of servers follows the load, and kubectl scale, on a real node with real CPU."""

from typing import Any

from support.kubectl import Kubectl, eventually
from support.workloads import wait_for, workload

# A server that works as hard as its limit lets it while a file lies there.
_BUSY = "/tmp/busy"  # noqa: S108 - in the pod
_SERVER = f"trap exit TERM; httpd -p 8080 -h /tmp; while true; do test -e {_BUSY} || sleep 1; done"
_LIMIT = {"limits": {"cpu": "200m", "memory": "32Mi"}}
# Metrics come every ten seconds and HPA looks every five; nothing waits beyond that.
_QUICK = {
    "scaleUp": {"stabilizationWindowSeconds": 0},
    "scaleDown": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Pods", "value": 2, "periodSeconds": 5}],
    },
}
# CPU is measured over windows, and a pod's first one counts only when it is whole.
_SCALED_SECONDS = 180.0


def _served(image: str, **spec: Any) -> dict[str, Any]:
    command = ["sh", "-c", _SERVER]
    defaults = {"image": image, "framework": None, "modelVersion": None, "resources": _LIMIT}
    return workload(command=command, terminationGracePeriodSeconds=10, **{**defaults, **spec})


def _pods(team: Kubectl) -> list[str]:
    """The names of the servers that are not on their way out."""
    return [pod["metadata"]["name"] for pod in team.items("pods") if "deletionTimestamp" not in pod["metadata"]]


def _ready(team: Kubectl) -> int:
    return int(team.get("aiworkload", "demo")["status"].get("readyReplicas", 0))


def _seen(team: Kubectl) -> str:
    return team.run("get", "hpa,pods,aiworkload").stdout + team.run("top", "pods").stdout


def test_servers_follow_their_cpu_from_one_to_three_and_back(team: Kubectl, released: str, busybox: str) -> None:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilization": 30, "behavior": _QUICK}
    team.apply(_served(busybox, autoscaling=scaling))
    wait_for(team, "Ready", "True")
    (first,) = _pods(team)
    team("exec", first, "--", "touch", _BUSY)
    eventually(lambda: len(_pods(team)) == 3 and _ready(team) == 3, seconds=_SCALED_SECONDS, told=lambda: _seen(team))
    assert first in _pods(team)
    team("exec", first, "--", "rm", _BUSY)
    eventually(lambda: len(_pods(team)) == 1, seconds=_SCALED_SECONDS, told=lambda: _seen(team))
    eventually(lambda: team.get("aiworkload", "demo")["status"]["replicas"] == 1)
    wait_for(team, "Ready", "True")


def test_kubectl_scale_changes_the_number_of_servers(team: Kubectl, released: str, busybox: str) -> None:
    team.apply(_served(busybox, replicas=1))
    wait_for(team, "Ready", "True")
    (first,) = _pods(team)
    team("scale", "aiworkload/demo", "--replicas=2")
    team("wait", "--for=condition=Ready", "aiworkload/demo", "--timeout=60s")
    eventually(lambda: _ready(team) == 2)
    assert first in _pods(team)
    assert len(_pods(team)) == 2
    team("scale", "aiworkload/demo", "--replicas=0")
    eventually(lambda: _pods(team) == [])
