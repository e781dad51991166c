"""What of a cluster decides how workloads are exposed and watched over: which APIs it serves, which classes it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from aiop.runtime.client.resource import Resource
from aiop.runtime.views.custom import CustomObject

_DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class Cluster:
    """``ingress_classes`` are their controllers by the class's name; ``default_class`` is empty if none is marked.

    ``monitors`` is the kind that tells Prometheus what to scrape, None if there is none or none is wanted.
    """

    gateway_api: bool = False
    traefik_api: bool = False
    monitors: Resource | None = None
    ingress_classes: Mapping[str, str] = field(default_factory=dict)
    default_class: str = ""


class _ClassSpec(msgspec.Struct):
    controller: str = ""


def class_controllers(classes: Iterable[CustomObject]) -> dict[str, str]:
    """The controller of each IngressClass, by the class's name."""
    return {each.metadata.name: _controller(each.spec) for each in classes}


def default_class(classes: Iterable[CustomObject]) -> str:
    """The class that the API server gives to an Ingress without one: of several defaults the newest, then by name."""
    marked = sorted(
        (each.metadata for each in classes if each.metadata.annotations.get(_DEFAULT_ANNOTATION) == "true"),
        key=lambda meta: meta.name,
    )
    newest = max(marked, key=lambda meta: meta.creation_timestamp, default=None)
    return newest.name if newest else ""


def _controller(spec: bytes) -> str:
    try:
        return msgspec.json.decode(spec, type=_ClassSpec).controller
    except msgspec.DecodeError:
        return ""
