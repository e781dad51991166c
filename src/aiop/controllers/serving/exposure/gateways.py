"""The view of a Gateway: what it listens to, and where."""

import msgspec

from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out


class Listener(msgspec.Struct, frozen=True, gc=False):
    """One of a Gateway's listeners; an empty ``hostname`` is every host."""

    name: str = ""
    hostname: str = ""
    port: int = 0
    protocol: str = ""

    @property
    def encrypts(self) -> bool:
        """True if clients speak TLS to it."""
        return self.protocol in {"HTTPS", "TLS"}


class GatewayView(msgspec.Struct, frozen=True, gc=False):
    """A Gateway without what nobody reads; the number of its routes, say, which changes with each of them."""

    metadata: ObjectMeta
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[str, ...] = ()


class _Address(msgspec.Struct):
    value: str = ""


class _Spec(msgspec.Struct):
    listeners: tuple[Listener, ...] = ()


class _Status(msgspec.Struct):
    addresses: tuple[_Address, ...] = ()


class _Wire(msgspec.Struct):
    metadata: ObjectMeta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


_decode = nulls_left_out(msgspec.json.Decoder(_Wire).decode)


def decode_gateway(data: bytes) -> GatewayView:
    """A Gateway."""
    wire = _decode(data)
    addresses = tuple(each.value for each in wire.status.addresses if each.value)
    return GatewayView(wire.metadata, wire.spec.listeners, addresses)


def gateway_url(gateway: GatewayView, section: str, hosts: tuple[str, ...], path: str) -> str:
    """Where clients reach ``path``; empty while no host and no address is known.

    The host is the first that is no wildcard: of ``hosts``, of the listeners, else the Gateway's address. Of several
    listeners one that encrypts is named.
    """
    listeners = [each for each in gateway.listeners if not section or each.name == section]
    listener = next((each for each in listeners if each.encrypts), listeners[0] if listeners else Listener())
    names = [*hosts, *(each.hostname for each in (listener, *listeners))]
    host = next((name for name in names if name and "*" not in name), None) or next(iter(gateway.addresses), "")
    if not host:
        return ""
    scheme, usual = ("https", 443) if listener.encrypts else ("http", 80)
    bracketed = f"[{host}]" if ":" in host else host
    port = f":{listener.port}" if listener.port not in {0, usual} else ""
    return f"{scheme}://{bracketed}{port}{path}"
