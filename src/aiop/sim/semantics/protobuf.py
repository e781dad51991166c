"""Kubernetes' protobuf, read only: `kubectl create deployment`, `auth can-i` and `drain` speak nothing else.

An object comes as the magic bytes and an envelope with its kind. The server's own types write every plain field, empty
ones too, so what is empty here is what JSON leaves out.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What a field's bytes or number mean in JSON.
Read = Callable[[int | bytes], Any]

_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LARGEST = (1 << 64) - 1
_MORE, _SEVEN_BITS, _LONGEST_SHIFT = 0x80, 0x7F, 70


class UnreadableProtobuf(Exception):
    """Raised when bytes are no protobuf, or hold a field that nobody here knows."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the name that JSON gives it; ``optional`` ones are pointers, whose zero says something."""

    name: str
    read: Read
    many: bool = False
    optional: bool = False
    mapped: bool = False


Message = Mapping[int, Field | None]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An object not yet read, and what kind it is of."""

    api_version: str
    kind: str
    content: bytes


def envelope_in(data: bytes) -> Envelope:
    """The envelope; raises UnreadableProtobuf."""
    if not data.startswith(_MAGIC):
        raise UnreadableProtobuf("the magic bytes are missing")
    parts = dict(_parts(data[len(_MAGIC) :]))
    about = dict(_parts(_bytes(parts.get(1, b""))))
    return Envelope(text(about.get(1, b"")), text(about.get(2, b"")), _bytes(parts.get(2, b"")))


def read_message(data: bytes, fields: Message) -> dict[str, Any]:
    """The JSON of a message; fields that are None are passed over. Raises UnreadableProtobuf."""
    result: dict[str, Any] = {}
    for number, value in _parts(data):
        if number not in fields:
            if value and any(part for _, part in _inner(value)):
                raise UnreadableProtobuf(f"field {number} is not known")
            continue
        field = fields[number]
        if field is not None:
            _put(result, field, field.read(value))
    return result


def text(value: int | bytes) -> str:
    """A string."""
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError as error:
        raise UnreadableProtobuf(str(error)) from error


def number(value: int | bytes) -> int:
    """A signed number."""
    if not isinstance(value, int):
        raise UnreadableProtobuf("a number is expected where there is none")
    return value - (1 << 64) if value >> 63 else value


def flag(value: int | bytes) -> bool:
    """True or false."""
    return bool(number(value))


def blob(value: int | bytes) -> str:
    """Bytes, as JSON has them."""
    return base64.b64encode(_bytes(value)).decode()


def nested(fields: Message) -> Read:
    """A message."""
    return lambda value: read_message(_bytes(value), fields)


def pair(read: Read) -> Read:
    """An entry of a map of strings."""

    def entry(value: int | bytes) -> dict[str, Any]:
        parts = dict(_parts(_bytes(value)))
        return {text(parts.get(1, b"")): read(parts.get(2, b""))}

    return entry


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise UnreadableProtobuf("bytes are expected where there are none")
    return value


def _put(result: dict[str, Any], field: Field, value: Any) -> None:
    if field.mapped:
        result[field.name] = {**result.get(field.name, {}), **value}
    elif field.many:
        result[field.name] = [*result.get(field.name, []), value]
    elif field.optional or value not in ("", 0, {}):
        result[field.name] = value


def _inner(value: int | bytes) -> Iterator[tuple[int, int | bytes]]:
    """What an unknown field holds, so that an empty message in it counts as empty."""
    try:
        yield from _parts(value) if isinstance(value, bytes) else [(0, value)]
    except UnreadableProtobuf:
        yield 0, value


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        length, at = _varint(data, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(kind, 0), at)
        if (not length and kind != _BYTES) or at + length > len(data):
            raise UnreadableProtobuf("it ends too early, or is something else")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < _LONGEST_SHIFT:
        byte = data[at]
        value |= (byte & _SEVEN_BITS) << shift
        at, shift = at + 1, shift + 7
        if not byte & _MORE:
            return value & _LARGEST, at
    raise UnreadableProtobuf("a number does not end")
