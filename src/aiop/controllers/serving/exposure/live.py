"""What is exposed already, read off our own Ingresses and HTTPRoutes, and found again by index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from aiop.controllers.serving.exposure.asked import GatewayName
from aiop.controllers.serving.exposure.ways import GatewayWay, IngressWay, Way
from aiop.runtime.views.nulls import nulls_left_out
from aiop.runtime.views.owned import Owned

# On an Ingress whose class rewrites nothing: the server's own route, which it leads to too if no other one does.
ROUTE_ANNOTATION = "geartickler.com/route"
BY_PLACE, BY_ROUTE, BY_GATEWAY = "place", "route", "gateway"


@dataclass(frozen=True, slots=True)
class Exposed:
    """``hosts`` is empty for every host."""

    way: Way
    hosts: tuple[str, ...]
    paths: tuple[str, ...]


class _Path(msgspec.Struct):
    path: str = ""


class _Http(msgspec.Struct):
    paths: tuple[_Path, ...] = ()


class _IngressRule(msgspec.Struct):
    host: str = ""
    http: _Http = msgspec.field(default_factory=_Http)


class _Ingress(msgspec.Struct, rename="camel"):
    ingress_class_name: str = ""
    rules: tuple[_IngressRule, ...] = ()


class _Value(msgspec.Struct):
    value: str = "/"


class _Match(msgspec.Struct):
    path: _Value = msgspec.field(default_factory=_Value)


class _RouteRule(msgspec.Struct):
    matches: tuple[_Match, ...] = ()


class _Parent(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    section_name: str = ""


class _Route(msgspec.Struct, rename="camel"):
    parent_refs: tuple[_Parent, ...] = ()
    hostnames: tuple[str, ...] = ()
    rules: tuple[_RouteRule, ...] = ()


_ingress = nulls_left_out(msgspec.json.Decoder(_Ingress).decode)
_route = nulls_left_out(msgspec.json.Decoder(_Route).decode)


def exposed_by_ingress(view: Owned) -> Exposed:
    """What an Ingress exposes; raises msgspec.DecodeError for what is none."""
    found = _ingress(view.content)
    hosts = tuple(rule.host for rule in found.rules if rule.host)
    paths = tuple(each.path for rule in found.rules for each in rule.http.paths)
    return Exposed(IngressWay(found.ingress_class_name), hosts, paths)


def exposed_by_route(view: Owned) -> Exposed:
    """What an HTTPRoute exposes; raises msgspec.DecodeError for what is none."""
    found = _route(view.content)
    parent = found.parent_refs[0] if found.parent_refs else _Parent()
    gateway = GatewayName(parent.namespace or view.metadata.namespace, parent.name, parent.section_name)
    paths = tuple(match.path.value for rule in found.rules for match in rule.matches)
    return Exposed(GatewayWay(gateway), found.hostnames, paths)


def place_values(hosts: Sequence[str], path: str) -> list[str]:
    """The index values of a path of each host, or of every host."""
    trimmed = path.rstrip("/") or "/"
    return [f"{host} {trimmed}" for host in hosts or ("",)]


def ingress_places(view: Owned) -> Iterable[str]:
    """Index values: what an Ingress exposes."""
    found = exposed_by_ingress(view)
    return [value for path in found.paths for value in place_values(found.hosts, path)]


def ingress_routes(view: Owned) -> Iterable[str]:
    """Index values: the route that an Ingress would lead to as it is, whether it does or not."""
    route = view.metadata.annotations.get(ROUTE_ANNOTATION)
    return place_values(exposed_by_ingress(view).hosts, route) if route else ()


def route_places(view: Owned) -> Iterable[str]:
    """Index values: what an HTTPRoute exposes."""
    found = exposed_by_route(view)
    return [value for path in found.paths for value in place_values(found.hosts, path)]


def route_gateways(view: Owned) -> Iterable[str]:
    """Index values: the Gateway that an HTTPRoute is attached to."""
    way = exposed_by_route(view).way
    return (str(way.gateway),) if isinstance(way, GatewayWay) else ()
