"""What a person sees and does with kubectl, on a real node: wait, get, describe, explain, delete."""

from support.kubectl import Kubectl
from support.workloads import workload

_SERVER = ["sh", "-c", "trap exit TERM; httpd -p 8080 -h /tmp; while true; do sleep 1; done"]
_LIMIT = {"limits": {"cpu": "50m", "memory": "32Mi"}}


def test_kubectl_shows_what_a_person_needs_and_deletes_in_order(team: Kubectl, released: str, busybox: str) -> None:
    spec = {"image": busybox, "framework": None, "command": _SERVER, "resources": _LIMIT}
    team.apply(
        workload("shown", modelName="iris", modelVersion=None, replicas=2, terminationGracePeriodSeconds=10, **spec)
    )
    team("wait", "--for=condition=Ready", "aiworkload/shown", "--timeout=120s")

    header, row = team("get", "aiworkload", "shown").splitlines()
    assert header.split()[:4] == ["NAME", "READY", "REASON", "VERSION"]
    assert row.split()[:3] == ["shown", "True", "Serving"]
    assert f"http://shown.{team.namespace}.svc" in row
    wide = team("get", "aiworkload", "shown", "-o", "wide").splitlines()
    assert "MESSAGE" in wide[0]
    assert len(wide[1]) > len(row)
    assert team("get", "aiw", "-o", "name") == "aiworkload.geartickler.com/shown\n"

    described = team("describe", "aiworkload", "shown")
    for words in ("Type:", "Ready", "Serving", "Events:"):
        assert words in described
    assert "replicas" in team("explain", "aiworkload.spec")
    assert "FIELD: inferenceEndpoint" in team("explain", "aiworkload.spec.inferenceEndpoint")

    team("delete", "aiworkload", "shown", "--cascade=foreground", "--timeout=90s")
    # Foreground means that nothing of it is left by the time that kubectl returns.
    assert team.items("deployments,services,pods") == []
