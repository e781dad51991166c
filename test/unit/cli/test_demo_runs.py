"""How the demo on the embedded cluster begins and ends; its whole story is a test of its own."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.demoprocess import Demo
from support.kubectl import eventually

Start = Callable[..., Demo]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos; whatever happens, none outlives the test."""
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def nothing_is_left(demo: Demo) -> bool:
    assert demo.helpers() == []
    assert list(demo.temporary.rglob("*")) == []
    return True


def test_once_it_ends_with_1_when_a_step_is_not_done_in_time(start: Start) -> None:
    demo = start("--once", "--timeout", "0")
    assert demo.ended() == 1
    assert "✗ 1. The samples become Ready: not within 0 s: the samples are Ready" in demo.printed
    assert "AIWorkloads" in demo.printed
    assert nothing_is_left(demo)


def test_it_ends_with_1_and_the_servers_words_when_a_sample_is_refused(start: Start) -> None:
    demo = start("--once", "--namespace", "absent")
    assert demo.ended() == 1
    assert "The demo ends:" in demo.printed
    assert 'namespaces "absent" not found' in demo.printed
    assert nothing_is_left(demo)


def test_ctrl_c_before_all_are_ready_ends_it_and_everything_in_it(start: Start) -> None:
    demo = start()
    demo.until("Starting the embedded cluster")
    assert demo.interrupt() == 1, demo.printed
    assert "Traceback" not in demo.printed
    assert nothing_is_left(demo)


def test_an_operator_that_dies_ends_it_with_the_end_of_its_log(start: Start) -> None:
    demo = start()
    demo.until("✓ 1.")
    os.kill(demo.helper("aiop manager"), signal.SIGKILL)
    assert demo.ended() == 1
    assert "The demo ends: the operator ended with exit code 137:" in demo.printed
    assert nothing_is_left(demo)


def test_kill_9_leaves_no_process_and_no_file_of_it(start: Start) -> None:
    demo = start()
    demo.until("✓ 1.")
    assert len([line for line in demo.helpers() if "aiop.cli.demo.modelserver" in line]) >= 2, "the pods"
    assert len([line for line in demo.helpers() if "aiop manager" in line]) == 1
    demo.kill()
    eventually(lambda: demo.helpers() == [], told=demo.helpers)
    assert nothing_is_left(demo)
