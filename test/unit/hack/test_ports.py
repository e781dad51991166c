"""Ports that are told to programs: nobody else gets them, neither by chance nor by asking for one too."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import hack.ports
from hack.ports import NoFreePort, free_port, free_ports

_ROOT = Path(__file__).parents[3]
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def asked_by_another(port: int | None = None) -> str:
    """What another process says that may have this port alone, or any."""
    bound = "" if port is None else f"p._FIRST = p._LAST = {port}; "
    program = f"import hack.ports as p; {bound}print(p.free_port())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=_ROOT)
    return done.stdout.strip() or done.stderr.splitlines()[-1]


def test_a_port_that_was_given_is_given_to_no_other_process() -> None:
    port = free_port()
    assert asked_by_another(port).startswith("hack.ports.NoFreePort")


def test_a_port_is_given_again_once_its_process_has_ended() -> None:
    port = asked_by_another()
    assert asked_by_another(int(port)) == port


def test_no_port_is_given_twice() -> None:
    assert len(set(free_ports(50))) == 50


def test_a_port_on_which_somebody_listens_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(hack.ports, "_FIRST", port)
    monkeypatch.setattr(hack.ports, "_LAST", port)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with pytest.raises(NoFreePort, match=f"between {port} and {port}"):
            free_port()
    assert free_port() == port


@pytest.mark.skipif(not _RANGE.exists(), reason="this system tells no range from which it chooses by itself")
def test_the_kernel_gives_none_of_them_by_itself() -> None:
    assert free_port() < int(_RANGE.read_text().split()[0])
