"""Nulls, which JSON of the API may have anywhere and which mean that nothing is there."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_NULL = b"null"
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


def nulls_left_out(decode: Callable[[bytes], T], *, untouched: frozenset[str] = frozenset()) -> Callable[[bytes], T]:
    """``decode``, for which a null is as good as nothing: what is null has its default.

    Only what ``decode`` refuses is looked through for nulls and tried once more, so the rest pays nothing. Top-level
    fields named in ``untouched`` keep what they are to the byte, unless they are null themselves. Raises
    msgspec.DecodeError as ``decode`` does: for what makes no sense without its nulls either.
    """

    def tolerant(data: bytes) -> T:
        try:
            return decode(data)
        except msgspec.ValidationError as error:
            if _NULL not in data:
                raise
            try:
                return decode(_without_nulls(data, untouched))
            except (msgspec.DecodeError, RecursionError):
                raise error from None  # it speaks of what was sent

    return tolerant


def or_empty(*parts: msgspec.Raw) -> bytes:
    """A copy of the first that is there and not null, else ``{}``; a msgspec.Raw pins the buffer it was cut from."""
    for part in parts:
        piece = bytes(part)
        if piece and piece != _NULL:
            return piece
    return b"{}"


def _without_nulls(data: bytes, untouched: frozenset[str]) -> bytes:
    parts = {name: part for name, part in _parts.decode(data).items() if bytes(part) != _NULL}
    return msgspec.json.encode(
        {name: part if name in untouched else _pruned(msgspec.json.decode(part)) for name, part in parts.items()}
    )


def _pruned(value: Any) -> Any:
    match value:
        case dict():
            return {name: _pruned(each) for name, each in value.items() if each is not None}
        case list():
            return [_pruned(each) for each in value if each is not None]
        case _:
            return value
