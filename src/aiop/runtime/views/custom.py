"""The view of an object of one's own kind: metadata, and spec and status as bytes for their owner to parse."""

import msgspec

from aiop.runtime.views.meta import ObjectMeta


class CustomObject(msgspec.Struct, frozen=True, gc=False):
    """``spec`` and ``status`` are JSON in buffers of their own; ``{}`` where the object has none."""

    metadata: ObjectMeta
    spec: bytes = b"{}"
    status: bytes = b"{}"


class _Wire(msgspec.Struct):
    metadata: ObjectMeta
    spec: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    status: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


_decoder = msgspec.json.Decoder(_Wire)


def decode_custom(data: bytes) -> CustomObject:
    """Any object that has a spec and a status."""
    wire = _decoder.decode(data)
    return CustomObject(wire.metadata, bytes(wire.spec), bytes(wire.status))
