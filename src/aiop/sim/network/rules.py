"""Which backend a request belongs to, by the rules of all Ingresses of one class. Pure.

The rules are those of the Ingress API: the host first (an exact one before a wildcard before none), then the path, an
Exact one before any Prefix, of Prefixes the longest, segment by segment. Where two Ingresses say the same, the older
one has the path.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import annotations_of, key_of, spec_of

# What the operator writes for a class of ingress-nginx: the whole path is replaced, the query stays.
REWRITE_ANNOTATION = "nginx.ingress.kubernetes.io/rewrite-target"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. ``rewrite`` replaces its path; empty: the path stays. ``port`` has a number or a name."""

    service: ObjectKey
    port: Object = field(hash=False)
    rewrite: str = ""


@dataclass(slots=True)
class _Host:
    exact: dict[str, Route] = field(default_factory=dict)
    prefixes: dict[tuple[str, ...], Route] = field(default_factory=dict)
    deepest: int = 0

    def add(self, path: str, kind: str, route: Route) -> None:
        if kind == "Exact":
            self.exact.setdefault(path, route)
            return
        segments = _segments(path)
        self.prefixes.setdefault(segments, route)
        self.deepest = max(self.deepest, len(segments))

    def find(self, path: str) -> Route | None:
        if (found := self.exact.get(path)) is not None:
            return found
        # Cut first: a path of a thousand segments shall not cost a thousand look-ups.
        segments = _segments(path, self.deepest)
        for length in range(len(segments), -1, -1):
            if (found := self.prefixes.get(segments[:length])) is not None:
                return found
        return None


class Rules:
    """The rules of some Ingresses, ready to be asked."""

    def __init__(self, ingresses: Iterable[Object]) -> None:
        self._hosts: dict[str, _Host] = {}
        self._rest: Route | None = None
        for ingress in sorted(ingresses, key=_age):
            self._take(ingress)

    def find(self, host: str, path: str) -> Route | None:
        """Where a request for ``path`` (decoded) of ``host`` (without a port) goes; None: nobody serves it."""
        for each in _hosts_that_fit(host.lower().rstrip(".")):
            if each in self._hosts:
                return self._hosts[each].find(path) or self._rest
        return self._rest

    def _take(self, ingress: Object) -> None:
        spec = spec_of(ingress)
        if self._rest is None and spec.get("defaultBackend"):
            self._rest = _route(ingress, spec["defaultBackend"], "")
        rewrite = annotations_of(ingress).get(REWRITE_ANNOTATION, "")
        for rule in spec.get("rules") or []:
            host = self._hosts.setdefault(str(rule.get("host") or "").lower(), _Host())
            for path in (rule.get("http") or {}).get("paths") or []:
                route = _route(ingress, path.get("backend") or {}, rewrite)
                if route is not None:
                    host.add(path.get("path") or "/", path.get("pathType", "Prefix"), route)


def _route(ingress: Object, backend: Object, rewrite: str) -> Route | None:
    service = backend.get("service")
    if not service or not service.get("name"):
        return None
    return Route(ObjectKey(key_of(ingress).namespace, service["name"]), service.get("port") or {}, rewrite)


def _age(ingress: Object) -> tuple[str, ObjectKey]:
    return (ingress["metadata"].get("creationTimestamp", ""), key_of(ingress))


def _hosts_that_fit(host: str) -> Iterator[str]:
    """The host itself, its wildcard (which stands for one label), every host."""
    yield host
    _, dot, parent = host.partition(".")
    if dot:
        yield f"*.{parent}"
    if host:
        yield ""


def _segments(path: str, most: int = -1) -> tuple[str, ...]:
    stripped = path.strip("/")
    if not stripped:
        return ()
    parts = stripped.split("/", most) if most >= 0 else stripped.split("/")
    return tuple(parts[:most] if most >= 0 else parts)
