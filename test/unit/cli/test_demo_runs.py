"""How the demo on the embedded cluster begins and ends; its whole story is a test of its own."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.demoprocess import Demo
from support.kubectl import eventually

Start = Callable[..., Demo]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos; whatever happens, none outlives the test."""
    started: list[Demo] = []

    def begin(*arguments: str, **more: Any) -> Demo:
        started.append(Demo(tmp_path, *arguments, **more))
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


def test_ctrl_c_while_the_cluster_starts_ends_it_before_it_is_up(start: Start) -> None:
    demo = start()
    demo.until("Starting the embedded cluster")
    assert demo.interrupt() == 130, demo.printed
    assert demo.printed.splitlines() == ["Starting the embedded cluster …"]
    assert nothing_is_left(demo)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_a_signal_in_the_middle_of_a_step_ends_it_and_everything_in_it(
    start: Start, number: signal.Signals, code: int
) -> None:
    demo = start()
    demo.until("✓ 2. ")
    assert any("modelserver" in each for each in demo.helpers())
    demo.send(number)
    assert demo.ended() == code, demo.printed
    assert "Traceback" not in demo.printed
    assert "The demo ends:" not in demo.printed
    assert nothing_is_left(demo)


def test_where_a_hang_up_is_ignored_it_goes_on(start: Start) -> None:
    demo = start(before=("nohup",))
    demo.until("Starting the embedded cluster")
    demo.send(signal.SIGHUP)
    demo.until("✓ 1. ")
    demo.send(signal.SIGTERM)
    assert demo.ended() == 143, demo.printed
    assert nothing_is_left(demo)


def test_where_nobody_reads_any_more_it_ends_too(start: Start) -> None:
    demo = start(reader=True)
    demo.leave_it_unread()
    assert demo.ended() == 141
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
