"""What serves metrics to autoscalers, played: an aggregated API on loopback that tells of real pods what a test wants.

It is registered as an adapter is: an APIService that leads to a Service, here one that is another name of localhost.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support.certificates import Authority
from support.kubectl import Kubectl, eventually

CUSTOM, RESOURCE = "custom.metrics.k8s.io", "metrics.k8s.io"
_VERSION = "v1beta1"
_NAMESPACE = "kube-system"


@dataclass
class Adapter:
    """``values`` are by metric, the same for each pod (None: no pod has one); ``cpu`` is each container's, in milli."""

    admin: Kubectl
    port: int = 0
    values: dict[str, str | None] = field(default_factory=dict)
    cpu: str = "50m"
    memory: str = "16Mi"
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, selector: str) -> dict[str, Any] | None:
        """The body; None for what is not there."""
        match path.removeprefix("/apis/").split("/"):
            case [group, version]:
                return self._resources(group, version)
            case [group, _, "namespaces", namespace, "pods"] if group == RESOURCE:
                return _list("PodMetricsList", RESOURCE, [self._usage(pod) for pod in self._pods(namespace, selector)])
            case [group, _, "namespaces", namespace, "pods", "*", metric] if group == CUSTOM and metric in self.values:
                self.asked.append(namespace)
                value = self.values[metric]
                pods = self._pods(namespace, selector) if value is not None else []
                return _list("MetricValueList", CUSTOM, [_value(pod, metric, str(value)) for pod in pods])
        return None

    def _resources(self, group: str, version: str) -> dict[str, Any]:
        names = [f"pods/{metric}" for metric in self.values] if group == CUSTOM else ["pods"]
        kind = "MetricValueList" if group == CUSTOM else "PodMetrics"
        resources = [
            {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
            for name in names
        ]
        head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{version}"}
        return {**head, "resources": resources}

    def _pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return Kubectl(self.admin.kubeconfig, namespace).items("pods", "-l", selector)

    def _usage(self, pod: dict[str, Any]) -> dict[str, Any]:
        usage = {"cpu": self.cpu, "memory": self.memory}
        containers = [{"name": each["name"], "usage": usage} for each in pod["spec"]["containers"]]
        metadata = {name: pod["metadata"][name] for name in ("name", "namespace", "labels")}
        return {"metadata": metadata, "timestamp": _now(), "window": "1s", "containers": containers}

    @contextmanager
    def registered(self, group: str) -> Iterator[None]:
        """The group is there, for as long as it lasts."""
        name = f"adapter-{group.partition('.')[0]}"
        service = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": self.port}]}
        system = Kubectl(self.admin.kubeconfig, _NAMESPACE)
        system.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": service})
        spec = {
            "group": group,
            "version": _VERSION,
            "service": {"name": name, "namespace": _NAMESPACE, "port": self.port},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        }
        api = f"{_VERSION}.{group}"
        head = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": api}}
        self.admin.apply({**head, "spec": spec})
        try:
            self.admin("wait", "--for=condition=Available", f"apiservice/{api}", "--timeout=120s")
            yield
        finally:
            self.admin("delete", "apiservice", api, "--ignore-not-found")
            system("delete", "service", name, "--ignore-not-found")
            eventually(lambda: group not in self.admin("api-versions"))


@contextmanager
def metrics_adapter(admin: Kubectl) -> Iterator[Adapter]:
    """It listens, and is not registered yet."""
    adapter = Adapter(admin)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = adapter.answer(unquote(url.path), parse_qs(url.query).get("labelSelector", [""])[0])
            data = json.dumps(body or _NOT_FOUND).encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = _tls().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        adapter.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield adapter
        finally:
            server.shutdown()
            thread.join()


_NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def _tls() -> ssl.SSLContext:
    return Authority().server("localhost")


def _list(kind: str, group: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "apiVersion": f"{group}/{_VERSION}", "metadata": {}, "items": items}


def _value(pod: dict[str, Any], metric: str, value: str) -> dict[str, Any]:
    meta = pod["metadata"]
    target = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "apiVersion": "/v1"}
    return {"describedObject": target, "metricName": metric, "timestamp": _now(), "value": value}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
