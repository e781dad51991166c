"""Frames of SPDY, byte by byte."""

import struct
import zlib

import pytest

from aiop.sim.server.streams.spdy.dictionary import DICTIONARY
from aiop.sim.server.streams.spdy.errors import BadFrame
from aiop.sim.server.streams.spdy.frames import Data, GoAway, Ping, Reader, Reset, SynStream, Writer


def packed(headers: dict[str, str]) -> bytes:
    texts = [text.encode() for pair in headers.items() for text in pair]
    block = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(text)) + text for text in texts)
    deflate = zlib.compressobj(zdict=DICTIONARY)
    return deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)


def syn(stream: int, headers: dict[str, str], flags: int = 0) -> bytes:
    body = struct.pack(">IIH", stream, 0, 0) + packed(headers)
    return struct.pack(">HHI", 0x8003, 1, flags << 24 | len(body)) + body


def test_the_dictionary_is_the_protocols() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_frames_are_read_however_their_bytes_come() -> None:
    sent = syn(1, {"port": "8080", "streamtype": "error"}, flags=1) + Writer().data(1, b"hello", over=True)
    sent += Writer().reset(3, 5) + Writer().ping(7) + struct.pack(">HHIII", 0x8003, 7, 8, 0, 0)
    sent += struct.pack(">HHIII", 0x8003, 9, 8, 1, 100)  # a window, which nobody needs
    whole = list(Reader().take(sent))
    assert whole == [
        SynStream(1, {"port": "8080", "streamtype": "error"}, over=True),
        Data(1, b"hello", over=True),
        Reset(3),
        Ping(7),
        GoAway(),
    ]
    reader = Reader()
    assert [frame for byte in sent for frame in reader.take(bytes([byte]))] == whole


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (struct.pack(">II", 1, 0xFFFFFF), "too large"),
        (syn(1, {"x": "y" * 200_000}), "too large"),
        (struct.pack(">HHI", 0x8003, 1, 14) + b"\0" * 10 + b"what", "cannot be unpacked"),
        (struct.pack(">HHI", 0x8003, 3, 2) + b"\0\0", "too short"),
    ],
)
def test_what_is_no_frame_or_too_large_is_refused(sent: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        list(Reader().take(sent))
