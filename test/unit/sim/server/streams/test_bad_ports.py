"""Clients of port-forward that name what is no port."""

import struct

import pytest

from unit.sim.server.streams.test_leaving import PATH, Quiet, served
from unit.sim.server.streams.test_spdy_frames import syn

RESET = 3


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1", "080", ""])
async def test_a_stream_to_what_is_no_port_is_refused_and_the_others_go_on(port: str) -> None:
    async with served(Quiet()) as session:
        protocol = "SPDY/3.1+portforward.k8s.io"
        async with session.ws_connect(f"{PATH}/portforward", protocols=(protocol,)) as socket:
            await socket.send_bytes(syn(1, {"requestid": "0", "port": port, "streamtype": "error"}))
            answer = await socket.receive_bytes(timeout=20)
            assert struct.unpack(">HHII", answer[:12]) == (0x8003, RESET, 8, 1)
            ping = struct.pack(">HHII", 0x8003, 6, 4, 7)
            await socket.send_bytes(ping)
            assert await socket.receive_bytes(timeout=20) == ping
