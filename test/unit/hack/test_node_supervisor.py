"""What a node is told through its socket."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hack.controlplane.processes import ProcessFailed
from hack.node.place import Place
from hack.node.supervisor import serve
from support.kubectl import eventually


class Told:
    """A supervisor that waits with its answer until it may go on."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def check(self) -> None:
        self.asked.set()
        self.may_answer.wait(10)

    def fail(self) -> None:
        raise ProcessFailed("coredns ended")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, 1)


@pytest.fixture
def supervisor(place: Place) -> Iterator[Told]:
    told = Told()
    commands: Any = SimpleNamespace(check=told.check, stop_kubelet=told.fail, start_kubelet=told.fail)
    threading.Thread(target=serve, args=(place, cast("Any", commands)), daemon=True).start()
    eventually(place.control.exists)
    yield told
    told.may_answer.set()


def asked(place: Place, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(place.control))
        caller.sendall(line.encode())
        with caller.makefile() as answer:
            return answer.readline()


def test_a_node_outlives_a_caller_that_is_gone_before_the_answer(place: Place, supervisor: Told) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(place.control))
        caller.sendall(b"check\n")
        assert supervisor.asked.wait(10)
    supervisor.may_answer.set()
    assert asked(place, "check\n") == '""\n'


def test_a_node_says_what_failed_and_what_it_does_not_know(place: Place, supervisor: Told) -> None:
    assert asked(place, "stop-kubelet\n") == '"stop-kubelet: coredns ended"\n'
    assert asked(place, "dance\n") == "\"dance: 'dance'\"\n"
