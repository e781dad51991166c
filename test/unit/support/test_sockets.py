"""What was sent and not acknowledged, as the kernel tells it."""

import os
import socket

from support.sockets import unacknowledged


def test_what_the_other_side_has_no_room_for_is_unacknowledged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            client.setblocking(False)
            try:
                while True:
                    client.send(bytes(65536))
            except BlockingIOError:
                assert unacknowledged(os.getpid()) > 10_000
