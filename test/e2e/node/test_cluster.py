"""The cluster itself: what the other tests of this folder rely on.

Names are asked for by nslookup: the static busybox has no other resolver that works, so that wget is no use.
"""

import subprocess
import urllib.request
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support.kubectl import Kubectl, eventually
from support.realpods import restricted_pod

_SERVER = "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"


@pytest.fixture
def web(team: Kubectl, busybox: str) -> Kubectl:
    """A namespace with a pod that answers over a Service, both called web."""
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    team.apply(restricted_pod("web", busybox, "sh", "-c", _SERVER, readinessProbe=probe))
    team.apply(_service("web"))
    team("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return team


def _service(name: str) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _said(team: Kubectl, pod: str, *command: str) -> str:
    """What a command says in a pod; its error if it fails."""
    done = team.run("exec", pod, "--", *command)
    return done.stdout or done.stderr


def _fetched(team: Kubectl, pod: str, address: str, port: int = 80) -> str:
    """The last line that an HTTP server answers, or what nc says."""
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {address} {port}"
    return _said(team, pod, "sh", "-c", request).strip().rpartition("\n")[2]


def _answer(node: NodeCluster, host: str, path: str) -> str:
    request = urllib.request.Request(f"{node.traffic_url}{path}", headers={"Host": host})  # noqa: S310 - http, ours
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - http, ours
            return str(answer.read().decode())
    except OSError as failure:
        return str(failure)


def test_the_node_is_ready_under_its_name(node: NodeCluster, admin: Kubectl) -> None:
    (found,) = admin.items("nodes")
    assert found["metadata"]["name"] == node.node_name
    ready = {each["type"]: each["status"] for each in found["status"]["conditions"]}
    assert ready["Ready"] == "True"
    node.check()


def test_a_service_leads_to_a_ready_pod_by_name_from_another_pod(web: Kubectl, busybox: str) -> None:
    web.apply(restricted_pod("caller", busybox, "sleep", "1000"))
    web("wait", "--for=condition=Ready", "pod/caller", "--timeout=60s")
    address = web.get("service", "web")["spec"]["clusterIP"]
    full = f"web.{web.namespace}.svc.cluster.local"
    eventually(lambda: f"Address: {address}" in _said(web, "caller", "nslookup", full))
    assert f"search {web.namespace}.svc.cluster.local" in _said(web, "caller", "cat", "/etc/resolv.conf")
    eventually(lambda: _fetched(web, "caller", address) == "hello")
    # Its own Service leads a pod to itself, too.
    eventually(lambda: _fetched(web, "web", address) == "hello")


def test_a_service_leads_to_no_pod_that_is_not_ready(web: Kubectl) -> None:
    address = web.get("service", "web")["spec"]["clusterIP"]
    eventually(lambda: _fetched(web, "web", address) == "hello")
    web("exec", "web", "--", "rm", "/tmp/index.html")  # noqa: S108 - in the pod; its probe asks for it
    web("wait", "--for=condition=Ready=false", "pod/web", "--timeout=60s")
    eventually(lambda: "terminated with exit code 1" in _fetched(web, "web", address))


def test_a_pod_reaches_the_api_server_by_its_service(web: Kubectl) -> None:
    address = web.get("service", "kubernetes", "--namespace", "default")["spec"]["clusterIP"]
    name = "kubernetes.default.svc.cluster.local"
    eventually(lambda: f"Address: {address}" in _said(web, "web", "nslookup", name))
    eventually(lambda: "HTTP request to an HTTPS server" in _fetched(web, "web", address, 443))


def test_logs_and_exec_reach_a_pod(team: Kubectl, busybox: str) -> None:
    team.apply(restricted_pod("talker", busybox, "sh", "-c", "echo one line; exec sleep 1000"))
    team("wait", "--for=condition=Ready", "pod/talker", "--timeout=60s")
    eventually(lambda: team("logs", "talker") == "one line\n")
    assert team("exec", "talker", "--", "id", "-u") == "1000\n"


def test_top_knows_the_node_and_the_pods(web: Kubectl, node: NodeCluster, admin: Kubectl) -> None:
    eventually(lambda: node.node_name in admin.run("top", "node").stdout, told=lambda: admin.run("top", "node").stderr)
    eventually(lambda: "web" in web.run("top", "pod").stdout, told=lambda: web.run("top", "pod").stderr)


def test_an_ingress_and_an_httproute_answer_from_outside(web: Kubectl, node: NodeCluster) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "ingress.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}}
    web.apply({**ingress, "spec": {"ingressClassName": "traefik", "rules": [rule]}})
    rewrite = {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}}
    matches = [{"path": {"type": "Exact", "value": "/api"}}]
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}}
    rules = [{"matches": matches, "filters": [rewrite], "backendRefs": [{"name": "web", "port": 80}]}]
    parents = [{"name": "public", "namespace": "gateways"}]
    web.apply({**route, "spec": {"parentRefs": parents, "hostnames": ["route.test"], "rules": rules}})
    eventually(lambda: _answer(node, "ingress.test", "/") == "hello\n")
    eventually(lambda: _answer(node, "route.test", "/api") == "hello\n")
    assert "404" in _answer(node, "route.test", "/other")
    eventually(lambda: web.get("ingress", "web")["status"]["loadBalancer"].get("ingress") == [{"ip": node.address}])


def test_a_pod_that_is_cut_off_is_not_reached_until_it_is_mended(web: Kubectl, node: NodeCluster) -> None:
    address = web.get("pod", "web")["status"]["podIP"]
    asking = node.inside("curl", "-s", "-m", "2", f"http://{address}:8080/")

    def answers() -> bool:
        return subprocess.run(asking, check=False, capture_output=True).stdout == b"hello\n"

    eventually(answers)
    node.cut(web.namespace, "web")
    try:
        assert not answers()
    finally:
        node.mend(web.namespace, "web")
    eventually(answers)


def test_a_container_whose_process_is_killed_from_outside_starts_again(web: Kubectl, node: NodeCluster) -> None:
    pid = node.container_pid(web.namespace, "web")
    subprocess.run(["kill", "-9", str(pid)], check=True)
    eventually(lambda: web.get("pod", "web")["status"]["containerStatuses"][0]["restartCount"] == 1)
    eventually(lambda: node.container_pid(web.namespace, "web") != pid)


def test_a_pod_that_writes_more_than_its_volume_may_hold_is_evicted(team: Kubectl, busybox: str) -> None:
    small = {"name": "small", "emptyDir": {"sizeLimit": "1Mi"}}
    greedy = restricted_pod("greedy", busybox, "sh", "-c", "head -c 5000000 /dev/zero > /small/file; exec sleep 1000")
    greedy["spec"]["volumes"] = [small]
    greedy["spec"]["containers"][0]["volumeMounts"] = [{"name": "small", "mountPath": "/small"}]
    team.apply(greedy)
    # kubelet looks every ten seconds, at readings that are a minute old at most.
    eventually(lambda: team.get("pod", "greedy")["status"].get("reason") == "Evicted", seconds=120)
    assert '"small" exceeds the limit "1Mi"' in team.get("pod", "greedy")["status"]["message"]


def test_a_network_policy_is_not_enforced_here(web: Kubectl) -> None:
    # Nothing on this node reads them: no test here may take an answer as proof that a policy lets it through.
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "none"}}
    web.apply({**policy, "spec": spec})
    address = web.get("service", "web")["spec"]["clusterIP"]
    eventually(lambda: _fetched(web, "web", address) == "hello")
