"""What a workload asks of the outside, read off its spec as it is stored. Pure.

The plan and the claims of all other workloads read the same fields here, so that both see one and the same.
"""

from dataclasses import dataclass

import msgspec

from aiop.runtime.views.nulls import nulls_left_out


@dataclass(frozen=True, slots=True)
class GatewayName:
    """A Gateway, and one of its listeners; an empty ``section`` is all of them."""

    namespace: str
    name: str
    section: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Asked:
    """``path`` is `inferenceEndpoint`; ``hosts`` are those to answer for, none meaning any.

    At most one of ``by_ingress`` and ``gateway`` is set; with neither the operator's default way is taken.
    """

    path: str
    hosts: tuple[str, ...] = ()
    by_ingress: bool = False
    class_name: str = ""
    tls_secret_name: str = ""
    gateway: GatewayName | None = None

    @property
    def everything(self) -> bool:
        """True if all of the server's paths are asked for, as they are."""
        return self.path == "/"


class _Ingress(msgspec.Struct, rename="camel"):
    host: str = ""
    class_name: str = ""
    tls_secret_name: str = ""


class _Gateway(msgspec.Struct, rename="camel"):
    name: str
    namespace: str = ""
    section_name: str = ""
    hostnames: tuple[str, ...] = ()


class _Spec(msgspec.Struct, rename="camel"):
    inference_endpoint: str = ""
    ingress: _Ingress | None = None
    gateway: _Gateway | None = None


_decode = nulls_left_out(msgspec.json.Decoder(_Spec).decode)


def asked_of(spec: bytes, namespace: str) -> Asked | None:
    """What the JSON of a spec asks for; None if nothing, or if it makes no sense."""
    try:
        found = _decode(spec)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not found.inference_endpoint:
        return None
    if found.gateway is not None:
        named = found.gateway
        gateway = GatewayName(named.namespace or namespace, named.name, named.section_name)
        return Asked(found.inference_endpoint, tuple(dict.fromkeys(named.hostnames)), gateway=gateway)
    if found.ingress is None:
        return Asked(found.inference_endpoint)
    given = found.ingress
    hosts = (given.host,) if given.host else ()
    return Asked(found.inference_endpoint, hosts, True, given.class_name, given.tls_secret_name)
