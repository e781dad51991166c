"""Frames of SPDY/3.1 as bytes. No I/O; numbers are the protocol's (draft 3.1, 2.2 and 2.6)."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aiop.sim.server.streams.spdy.dictionary import DICTIONARY
from aiop.sim.server.streams.spdy.errors import BadFrame

_CONTROL, _VERSION = 0x8000, 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 0x01
_HEAD = 8
_NUMBER = 4
# Go's io.Copy, which kubectl uses, sends 32 KiB at once.
_LARGEST_FRAME = 1024 * 1024
# The headers of a forwarded port are a few dozen bytes.
_LARGEST_HEADERS = 16 * 1024


@dataclass(frozen=True, slots=True)
class SynStream:
    """The client opens a stream; ``over`` if it will send nothing on it."""

    stream: int
    headers: Mapping[str, str]
    over: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; ``over`` if they are the last."""

    stream: int
    data: bytes
    over: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """A stream is given up."""

    stream: int


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered as it is."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """No more streams will come."""


Frame = SynStream | Data | Reset | Ping | GoAway


@dataclass(slots=True)
class Reader:
    """Takes bytes as they come and gives frames; those that nobody needs (settings, windows) are left out."""

    _rest: bytearray = field(default_factory=bytearray)
    _inflate: "zlib._Decompress" = field(default_factory=lambda: zlib.decompressobj(zdict=DICTIONARY))

    def take(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now; raises BadFrame."""
        self._rest += data
        while len(self._rest) >= _HEAD:
            first, second, sized = struct.unpack(">HHI", self._rest[:_HEAD])
            flags, length = sized >> 24, sized & 0xFFFFFF
            if length > _LARGEST_FRAME:
                message = f"a frame of {length} bytes is too large"
                raise BadFrame(message)
            if len(self._rest) < _HEAD + length:
                return
            body = bytes(self._rest[_HEAD : _HEAD + length])
            del self._rest[: _HEAD + length]
            frame = self._frame(first, second, flags, body)
            if frame is not None:
                yield frame

    def _frame(self, first: int, second: int, flags: int, body: bytes) -> Frame | None:
        if not first & _CONTROL:
            return Data(first << 16 | second, body, bool(flags & _FIN))
        if second == _SYN_STREAM:
            return SynStream(_number(body, 0), self._headers(body[10:]), bool(flags & _FIN))
        if second == _RST_STREAM:
            return Reset(_number(body, 0))
        if second == _PING:
            return Ping(_number(body, 0))
        return GoAway() if second == _GOAWAY else None

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            block = self._inflate.decompress(packed, _LARGEST_HEADERS)
        except zlib.error as error:
            message = f"headers cannot be unpacked: {error}"
            raise BadFrame(message) from error
        if self._inflate.unconsumed_tail:
            message = f"headers of more than {_LARGEST_HEADERS} bytes are too large"
            raise BadFrame(message)
        texts = _texts(block[_NUMBER:])
        return dict(zip(texts, texts, strict=False))


@dataclass(slots=True)
class Writer:
    """Makes frames; each is to be sent, in order, since headers are packed with those before."""

    _deflate: "zlib._Compress" = field(default_factory=lambda: zlib.compressobj(zdict=DICTIONARY))

    def reply(self, stream: int) -> bytes:
        """The stream is taken; no headers."""
        packed = self._deflate.compress(bytes(_NUMBER)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_REPLY, stream.to_bytes(_NUMBER, "big") + packed)

    def data(self, stream: int, data: bytes, *, over: bool = False) -> bytes:
        """Bytes on a stream."""
        return struct.pack(">II", stream, (_FIN if over else 0) << 24 | len(data)) + data

    def reset(self, stream: int, status: int) -> bytes:
        """The stream is given up."""
        return _control(_RST_STREAM, struct.pack(">II", stream, status))

    def ping(self, number: int) -> bytes:
        """The answer to a ping."""
        return _control(_PING, number.to_bytes(_NUMBER, "big"))


def _control(kind: int, body: bytes) -> bytes:
    return struct.pack(">HHI", _CONTROL | _VERSION, kind, len(body)) + body


def _number(body: bytes, start: int) -> int:
    if len(body) < start + _NUMBER:
        raise BadFrame("a frame is too short")
    return int.from_bytes(body[start : start + _NUMBER], "big")


def _texts(block: bytes) -> Iterator[str]:
    """Names and values in turn, each after its length."""
    while block:
        length = _number(block, 0)
        text, block = block[_NUMBER : _NUMBER + length], block[_NUMBER + length :]
        yield text.decode("latin-1")
