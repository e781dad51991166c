"""What the pods of a revision were made from, as far as causes name it."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Resources(msgspec.Struct, frozen=True):
    """Limits by resource, as they were written."""

    limits: Mapping[str, Any] = {}


class HttpGet(msgspec.Struct, frozen=True):
    """A request that has to succeed."""

    path: str = "/"
    port: str | int = ""


class Port(msgspec.Struct, frozen=True):
    """A port that has to answer."""

    port: str | int = ""


class Probe(msgspec.Struct, frozen=True, rename="camel"):
    """What a container is asked, and how often; the number is Kubernetes' own default."""

    http_get: HttpGet | None = None
    tcp_socket: Port | None = None
    grpc: Port | None = None
    period_seconds: int = 10

    def __str__(self) -> str:
        asked = "a command"
        if self.http_get is not None:
            asked = f"GET {self.http_get.path} on port {self.http_get.port}"
        elif self.tcp_socket is not None:
            asked = f"a connection to port {self.tcp_socket.port}"
        elif self.grpc is not None:
            asked = f"gRPC health on port {self.grpc.port}"
        return f"{asked}, every {self.period_seconds} s"


class Container(msgspec.Struct, frozen=True, rename="camel"):
    """One container."""

    name: str = ""
    resources: Resources = Resources()
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


class Claim(msgspec.Struct, frozen=True, rename="camel"):
    """A PersistentVolumeClaim by its name."""

    claim_name: str = ""


class Volume(msgspec.Struct, frozen=True, rename="camel"):
    """One volume; without a claim it is the pod's own."""

    name: str = ""
    persistent_volume_claim: Claim | None = None


class Template(msgspec.Struct, frozen=True, rename="camel"):
    """The pods' spec."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()

    def container(self, name: str) -> Container:
        """The one of that name; one of which nothing is known if there is none."""
        found = (each for each in (*self.init_containers, *self.containers) if each.name == name)
        return next(found, Container(name))

    def claim(self) -> str:
        """The claim that is mounted; empty if none is."""
        claims = (each.persistent_volume_claim for each in self.volumes)
        return next((each.claim_name for each in claims if each is not None), "")


def template_of(pod: Mapping[str, Any]) -> Template:
    """Out of a revision's record; of one that somebody has spoiled nothing is known."""
    try:
        return msgspec.convert(pod, Template)
    except msgspec.ValidationError:
        return Template()
