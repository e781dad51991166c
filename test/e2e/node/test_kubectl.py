"""What kubectl does on a real node beyond what the page on looking shows (test_look_page.py)."""

from support.kubectl import Kubectl
from support.workloads import workload

_SERVER = ["sh", "-c", "trap exit TERM; httpd -p 8080 -h /tmp; while true; do sleep 1; done"]
_LIMIT = {"limits": {"cpu": "50m", "memory": "32Mi"}}


def test_kubectl_finds_a_workload_under_every_name_and_deletes_in_order(
    team: Kubectl, released: str, busybox: str
) -> None:
    spec = {"image": busybox, "framework": None, "command": _SERVER, "resources": _LIMIT}
    team.apply(
        workload("shown", modelName="iris", modelVersion=None, replicas=2, terminationGracePeriodSeconds=10, **spec)
    )
    team("wait", "--for=condition=Ready", "aiworkload/shown", "--timeout=120s")

    for name in ("aiw", "aiworkload", "aiworkloads", "geartickler"):
        assert "aiworkload.geartickler.com/shown" in team("get", name, "-o", "name").splitlines()
    described = {line.split()[0] for line in team("explain", "aiworkload.spec").splitlines() if line.strip()}
    assert {"replicas", "inferenceEndpoint", "autoscaling"} <= described

    team("delete", "aiworkload", "shown", "--cascade=foreground", "--timeout=90s")
    # Foreground means that nothing of it is left by the time that kubectl returns.
    assert team.items("deployments,services,pods") == []
