"""Bodies in protobuf, byte by byte; test_create has kubectl write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.sim.semantics.protobuf import UnreadableProtobuf
from aiop.sim.server.protokinds import protobuf_object


def field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def enveloped(kind: str, content: bytes) -> bytes:
    about = field(1, b"v1") + field(2, kind.encode())
    return b"k8s\x00" + field(1, about) + field(2, content)


def config_map(data: bytes) -> bytes:
    return enveloped("ConfigMap", field(1, field(1, b"settings")) + data)


def test_a_map_is_read_entry_by_entry() -> None:
    entries = field(2, field(1, b"mode") + field(2, b"fast")) + field(2, field(1, b"empty") + field(2, b""))
    assert protobuf_object(config_map(entries)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {"mode": "fast", "empty": ""},
    }


def test_an_empty_field_that_is_not_known_is_passed_over() -> None:
    assert "data" not in protobuf_object(config_map(field(9, b"") + bytes([10 << 3, 0])))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00\xff",
        enveloped("Gadget", b""),
        config_map(field(9, b"lost")),
        config_map(bytes([9 << 3, 1])),
        config_map(bytes([2 << 3, 1])),
        config_map(bytes([2 << 3 | 2, 100])),
        config_map(bytes([4 << 3]) + b"\xff" * 11),
        enveloped("ConfigMap", field(1, field(1, b"\xff\xfe"))),
    ],
)
def test_what_cannot_be_read_whole_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableProtobuf):
        protobuf_object(body)


@given(st.sampled_from(["Deployment", "Job", "Service", "Secret", "DeleteOptions"]), st.binary(max_size=64))
def test_no_bytes_break_the_reader(kind: str, content: bytes) -> None:
    with suppress(UnreadableProtobuf):
        assert protobuf_object(enveloped(kind, content))["kind"] == kind
