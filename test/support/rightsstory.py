"""A story in which the operator does all that it ever does: what it needs no right for here, it needs none for at all.

Whoever grants it a new right adds here what it is for.
"""

import json
import os
import signal
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hack.definitions import GATEWAY_API, PROMETHEUS_OPERATOR, definitions
from support.controlplane import Cluster
from support.installation import SYSTEM, USER, Installation
from support.kubectl import Kubectl, eventually
from support.metricsadapter import CUSTOM, metrics_adapter
from support.rest import Rest
from support.usedrights import Right, unused, used
from support.workloads import wait_for, workload

LABEL = "geartickler.com/aiworkload"
NAME = "demo"
# As many as an operator keeps beside the one that serves, and one more that has to go.
VERSIONS = ("v1", "v2", "v3", "v4")
# The annotation by which the operator knows a default runtime for its own, as it was written by an older version.
_INTENT = "controller-runtime.geartickler.com/intent"
# What the operator creates that is no child of a workload.
_ASIDE = {"events", "leases", "servingruntimes"}
# Of a Lease, between two looks at the audit log: half a second's worth.
_WRITES = 100
_SCALING = {"enabled": True, "minReplicas": 2, "maxReplicas": 4, "targetCPUUtilization": 50}
_GPU = {"enabled": True, "minReplicas": 1, "maxReplicas": 2, "targetGPUUtilization": 80}
# An ingress controller that rewrites by an object of its own, which has no published Go module with its CRD.
_INGRESS_CLASS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "traefik", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_MIDDLEWARE: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "middlewares.traefik.io"},
    "spec": {
        "group": "traefik.io",
        "scope": "Namespaced",
        "names": {"kind": "Middleware", "plural": "middlewares", "singular": "middleware"},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _ANYTHING}}],
    },
}
_GATEWAY: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "edge"},
    "spec": {"gatewayClassName": "any", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}


def full(**spec: Any) -> dict[str, Any]:
    """A workload with every kind of child that it can have by an Ingress."""
    return workload(NAME, **{"replicas": 2, "inferenceEndpoint": "/demo", "autoscaling": _SCALING, **spec})


class Story:
    """One workload, from the first manifest to the last, and what may happen to it and to the operator."""

    def __init__(self, here: Installation, namespace: str, rights: Iterable[Right]) -> None:
        self._here = here
        self._kubectl = here.inside(namespace)
        self._rights = set(rights)

    def told(self) -> None:
        """All of it."""
        self._of_a_cluster_with_an_ingress_controller_and_pod_monitors()
        self._here.operator.start()
        self._kubectl.apply(full())
        self._ready()
        self._each_child_loses_its_label()
        self._service_monitors_come()
        self._asks_for_more()
        for version in VERSIONS:
            self._kubectl.apply(full(modelVersion=version))
            self._ready()
        self._a_gateway_takes_over()
        self._warns_again()
        self._shrinks()
        self._is_scaled_by_gpus()
        self._the_api_server_restarts()
        self._somebody_writes_its_lease()
        self._a_default_runtime_is_old()
        assert self._here.operator.stop() == 0, self._here.operator.words()

    def _of_a_cluster_with_an_ingress_controller_and_pod_monitors(self) -> None:
        admin = self._here.admin
        services, pods = definitions(PROMETHEUS_OPERATOR)
        admin.apply(_INGRESS_CLASS)
        admin.apply(_MIDDLEWARE)
        self._define(pods, *definitions(GATEWAY_API))
        self._kubectl.apply(_GATEWAY)
        self._later = services

    def _define(self, *files: Path) -> None:
        for file in files:
            self._here.admin("create", "-f", str(file))
        self._here.admin("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")

    def _ready(self) -> None:
        wait_for(self._kubectl, "Ready", "True", name=NAME)

    def _each_child_loses_its_label(self) -> None:
        created = {right for right in self._rights if right.verb == "create" and right.resource not in _ASIDE}
        for kind in sorted({f"{right.resource}.{right.group}".rstrip(".") for right in created}):
            self._loses_its_label(kind)

    def _loses_its_label(self, kind: str) -> None:
        """It is out of the operator's sight then: the name is taken, looked at, found to be its own, and repaired."""
        for found in self._children(kind):
            name = found["metadata"]["name"]
            self._kubectl("label", kind, name, f"{LABEL}-")
            self._soon(partial(self._has_label, kind, name))

    def _service_monitors_come(self) -> None:
        """They are preferred: the PodMonitor goes."""
        self._define(self._later)
        self._soon(lambda: self._children("servicemonitors") and not self._children("podmonitors"))
        self._loses_its_label("servicemonitors")

    def _asks_for_more(self) -> None:
        """Its servers get it while they run, and what makes them afterwards."""
        self._kubectl.apply(full(resources={"limits": {"cpu": "200m", "memory": "64Mi"}}))
        self._ready()

    def _a_gateway_takes_over(self) -> None:
        """No Gateway's controller runs here, so the Ingress stays for as long as the route is not taken up."""
        self._kubectl.apply(
            full(modelVersion=VERSIONS[-1], gateway={"name": "edge", "hostnames": ["demo.example.com"]})
        )
        self._soon(lambda: self._children("httproutes"))
        self._loses_its_label("httproutes")

    def _warns_again(self) -> None:
        """The same event twice within minutes is one with a count."""
        for _ in range(2):
            self._kubectl.apply(full(runtime="no-such-runtime"))
            wait_for(self._kubectl, "Accepted", "False", name=NAME)
            self._kubectl.apply(full())
            self._ready()

    def _shrinks(self) -> None:
        """To the least that serves, by a server that shows no metrics: what it needs no more is deleted."""
        ports = [{"name": "web", "containerPort": 9000}]
        self._kubectl.apply(workload(NAME, framework=None, image="registry.example/own:1", ports=ports))
        self._ready()
        for kind in ("ingresses", "middlewares", "httproutes", "horizontalpodautoscalers", "servicemonitors"):
            self._soon(partial(self._has_none, kind))

    def _is_scaled_by_gpus(self) -> None:
        """Whole ones and slices have a metric each."""
        metrics = {right for right in self._rights if right.group == CUSTOM}
        names = [right.resource.removeprefix("pods/") for right in metrics]
        with metrics_adapter(self._here.admin) as adapter:
            adapter.values |= dict.fromkeys(names, "50")
            with adapter.registered(CUSTOM):
                self._kubectl.apply(workload(NAME, autoscaling=_GPU, gpu={"product": ["NVIDIA-A100-SXM4-40GB"]}))
                self._kubectl.apply(workload("slice", autoscaling=_GPU, gpu={"mig": "1g.5gb"}))
                self._used(metrics)
        self._kubectl("delete", "aiworkload", "slice")
        self._kubectl.apply(workload(NAME))
        self._ready()

    def _the_api_server_restarts(self) -> None:
        """Watches break, and the operator asks whether the server is as far as it was.

        The operator stands still meanwhile: a server that has just started and refuses what it does not know yet would
        be asked for everything anew, by a watch.
        """
        plane = self._here.plane
        os.kill(self._here.operator.pid, signal.SIGSTOP)
        plane.stop_api_server()
        plane.start_api_server_again()
        os.kill(self._here.operator.pid, signal.SIGCONT)
        self._used(right for right in self._rights if right.verb == "list")

    def _somebody_writes_its_lease(self) -> None:
        """Hundreds of times a second, until a renewal meets a conflict: then it looks who has it."""
        (lease,) = self._here.inside(SYSTEM).items("leases")
        path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{lease['metadata']['name']}"
        looks = {right for right in self._rights if (right.verb, right.resource) == ("get", "leases")}
        with Rest(Cluster(self._here.plane.kubeconfig)) as rest:

            def looked() -> bool:
                for number in range(_WRITES):
                    rest.merge(path, {"metadata": {"annotations": {"touched": str(number)}}})
                return not unused(looks, used(self._here.plane.audit_log, USER))

            self._soon(looked)

    def _a_default_runtime_is_old(self) -> None:
        """The operator brings its own up to date when it begins to lead."""
        admin: Kubectl = self._here.admin
        runtime = admin.items("servingruntimes")[0]["metadata"]
        mark = json.dumps({"metadata": {"annotations": {_INTENT: f"0000/{runtime['generation']}"}}})
        admin("patch", "servingruntime", runtime["name"], "--type=merge", "-p", mark)
        assert self._here.operator.stop() == 0, self._here.operator.words()
        self._here.operator.start()
        mark_of = partial(self._mark_of, runtime["name"])
        self._soon(lambda: not mark_of().startswith("0000/"))

    def _used(self, rights: Iterable[Right]) -> None:
        """Wait until each has been used."""
        wanted, log = set(rights), self._here.plane.audit_log
        self._soon(lambda: not unused(wanted, used(log, USER)), told=lambda: unused(wanted, used(log, USER)))

    def _soon(self, check: Callable[[], Any], told: Callable[[], Any] | None = None) -> None:
        eventually(check, told=told or self._here.operator.words)

    def _mark_of(self, runtime: str) -> str:
        return str(self._here.admin.get("servingruntime", runtime)["metadata"]["annotations"][_INTENT])

    def _children(self, kind: str) -> list[Any]:
        """None too of a kind that the cluster does not serve."""
        found = self._kubectl.run("get", kind, "-l", f"{LABEL}={NAME}", "-o", "json")
        items: list[Any] = json.loads(found.stdout)["items"] if found.returncode == 0 else []
        return items

    def _has_label(self, kind: str, name: str) -> bool:
        return LABEL in self._kubectl.get(kind, name)["metadata"]["labels"]

    def _has_none(self, kind: str) -> bool:
        return not self._children(kind)
