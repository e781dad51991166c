"""The view of an object of one's own kind: metadata, and spec and status as bytes for their owner to parse."""

import msgspec

from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out, or_empty


class CustomObject(msgspec.Struct, frozen=True, gc=False):
    """``spec`` and ``status`` are JSON in buffers of their own; ``{}`` where the object has none, or null."""

    metadata: ObjectMeta
    spec: bytes = b"{}"
    status: bytes = b"{}"


class _Wire(msgspec.Struct):
    metadata: ObjectMeta
    spec: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    status: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


_decode = nulls_left_out(msgspec.json.Decoder(_Wire).decode, untouched=frozenset({"spec", "status"}))


def decode_custom(data: bytes) -> CustomObject:
    """Any object that has a spec and a status."""
    wire = _decode(data)
    return CustomObject(wire.metadata, or_empty(wire.spec), or_empty(wire.status))
