"""The sockets' options, as the kernel has them."""

import asyncio
import socket
import struct

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.sockets import new_socket

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))


def test_a_socket_resets_when_it_is_closed_and_notices_within_half_a_minute_that_nobody_is_there() -> None:
    with new_socket(ADDRESS) as made:
        assert struct.unpack("ii", made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == (1, 0)
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        quiet, interval, probes = (
            made.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert quiet + interval * probes <= 30
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 5000, (
            "less than a lease outlives a permit"
        )


def test_an_option_that_the_platform_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    with new_socket(ADDRESS) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_socket_that_cannot_have_them_is_not_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    class Stubborn(socket.socket):
        def setsockopt(self, *_: object) -> None:
            made.append(self)
            raise PermissionError

    monkeypatch.setattr(socket, "socket", Stubborn)
    with pytest.raises(PermissionError):
        new_socket(ADDRESS)
    assert made[0].fileno() == -1


async def test_requests_go_out_on_such_sockets(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    connecting: list[bytes] = []
    connect = loop.sock_connect

    async def noticed(sock: socket.socket, address: tuple[str, int]) -> None:
        connecting.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", noticed)
    await client.get_path("/version")
    assert connecting == [struct.pack("ii", 1, 0)]
