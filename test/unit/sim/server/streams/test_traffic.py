"""Requests from outside to pods that are processes, by Ingress and Service, while pods come and go."""

import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.kubectl import eventually
from unit.sim.server.streams.conftest import Pods

READY = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
# Out of the endpoints first, then the signal.
PARTING = {"preStop": {"sleep": {"seconds": 1}}}
HPA = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    "minReplicas": 1,
    "maxReplicas": 3,
    "metrics": [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    ],
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 2}},
}


def deployment(replicas: int, program: str = "web:1", *args: str, **container: Any) -> dict[str, Any]:
    main = {"name": "main", "image": program, "args": list(args), "ports": [{"containerPort": 8080}]}
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"terminationGracePeriodSeconds": 3, "containers": [{**main, "lifecycle": PARTING, **container}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def expose(kubectl: Pods, path: str) -> str:
    """A Service and an Ingress; returns the URL that the Ingress leads to."""
    kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080")
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"http": {"paths": [{"path": path, "pathType": "Exact", "backend": backend}]}}]
    annotations = {"nginx.ingress.kubernetes.io/rewrite-target": "/rewritten"}
    kubectl.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "web", "annotations": annotations},
            "spec": {"ingressClassName": "embedded", "rules": rules},
        }
    )

    def addresses() -> Any:
        return kubectl.get("ingress", "web").get("status", {}).get("loadBalancer", {}).get("ingress")

    [address] = eventually(addresses)
    return f"http://{address['ip']}:{address['ports'][0]['port']}{path}"


def ask(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - an address of the test cluster
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"
    except OSError as error:
        return f"no answer: {error}"


@contextmanager
def asking(url: str) -> Iterator[Counter[str]]:
    """What is answered to four clients that go on asking until the end of the context."""
    answers: Counter[str] = Counter()
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            answer = ask(url)
            answers[answer] += 1

    clients = [threading.Thread(target=go_on) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        yield answers
    finally:
        stop.set()
        for client in clients:
            client.join()


def test_no_request_is_lost_while_pods_are_replaced_and_evicted(kubectl: Pods) -> None:
    kubectl.apply(deployment(2, readinessProbe=READY))
    url = expose(kubectl, "/replaced")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: ask(url) == "/rewritten", told=lambda: ask(url))
    with asking(url) as answers:
        kubectl("set", "env", "deployment/web", "VERSION=2")
        kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        kubectl("delete", "pod", kubectl.items("pods")[0]["metadata"]["name"])
        kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        kubectl("scale", "deployment/web", "--replicas=1")
        eventually(lambda: len(kubectl.items("pods")) == 1)
    assert set(answers) == {"/rewritten"}
    assert answers["/rewritten"] > 20


def test_a_service_is_reached_at_its_own_address(kubectl: Pods) -> None:
    kubectl.apply(deployment(1, readinessProbe=READY))
    kubectl("expose", "deployment", "web", "--port=8099", "--target-port=8080")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    address = kubectl.get("service", "web")["spec"]["clusterIP"]
    eventually(lambda: ask(f"http://{address}:8099/direct") == "/direct", told=lambda: ask(f"http://{address}:8099/x"))


def test_cpu_that_rises_makes_more_pods_and_cpu_that_falls_fewer(kubectl: Pods) -> None:
    busy = "import time, os\nwhile True:\n  if os.path.exists(os.environ['FLAG']): pass\n  else: time.sleep(0.05)"
    home = kubectl.kubeconfig.parent / "busy"
    program = deployment(
        1, "python:1", busy, env=[{"name": "FLAG", "value": str(home)}], resources={"requests": {"cpu": "100m"}}
    )
    kubectl.apply(program)
    meta = {"name": "web", "namespace": kubectl.namespace}
    kubectl.apply({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": HPA})
    replicas = ("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")
    home.touch()
    eventually(lambda: kubectl(*replicas) == "3", told=lambda: kubectl("describe", "hpa", "web"))
    home.unlink()
    eventually(lambda: kubectl(*replicas) == "1", told=lambda: kubectl("describe", "hpa", "web"))
