"""A command under its supervisor."""

import asyncio
import errno
import os
import sys
from pathlib import Path

import pytest

from aiop.sim.processes import supervisor
from aiop.sim.processes.errors import CommandNotStarted
from aiop.sim.processes.supervised import Command, start
from aiop.sim.processes.supervisor import Log

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def shell(folder: Path, script: str) -> Command:
    return Command(["sh", "-c", script], ENVIRONMENT, folder, folder / "log")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def said(folder: Path) -> list[str]:
    return [line.split(" ", 3)[3] for line in (folder / "log").read_text().splitlines()]


async def until_up(folder: Path) -> None:
    """Wait until it has said anything."""
    while not said(folder):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)


async def test_a_command_that_ends_tells_its_exit_code_and_leaves_its_log(tmp_path: Path) -> None:
    command = await start(shell(tmp_path, "echo out; echo err >&2; exit 7"))
    assert await command.wait() == 7
    assert sorted(said(tmp_path)) == ["err", "out"]


async def test_a_command_that_dies_by_a_signal_counts_as_128_and_the_signals_number(tmp_path: Path) -> None:
    command = await start(shell(tmp_path, "kill -11 $$"))
    assert await command.wait() == 139


async def test_a_signal_reaches_the_command(tmp_path: Path) -> None:
    command = await start(shell(tmp_path, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done"))
    await until_up(tmp_path)
    command.signal(15)
    assert await command.wait() == 3
    assert said(tmp_path) == ["up", "bye"]


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandNotStarted, match="executable file not found"):
        await start(Command(["no-such-program"], ENVIRONMENT, tmp_path, tmp_path / "log"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
async def test_what_a_command_leaves_behind_is_ended_with_it_even_in_a_session_of_its_own(tmp_path: Path) -> None:
    command = await start(shell(tmp_path, "setsid sleep 1000 & echo $!; exit 0"))
    assert await command.wait() == 0
    assert not alive(int(said(tmp_path)[0]))


async def test_a_kill_ends_a_command_that_ignores_signals(tmp_path: Path) -> None:
    command = await start(shell(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.01; done"))
    await until_up(tmp_path)
    command.signal(15)
    command.kill()
    assert await command.wait() == 137


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to be had")
async def test_a_full_disk_costs_lines_of_the_log_and_not_the_command(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.symlink_to("/dev/full")
    command = await start(shell(tmp_path, "echo lost; exit 5"))
    assert await command.wait() == 5


def test_a_log_whose_new_file_cannot_be_made_goes_on_in_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(str(tmp_path / "log"), limit=1)
    with monkeypatch.context() as full:
        full.setattr(supervisor.Log, "_open", refused)
        log.take(b"stdout", b"one\n")
        log.take(b"stdout", b"two\n")
    log.take(b"stdout", b"three\n")
    log.take(b"stdout", b"four\n")
    log.end()
    assert [line.split()[-1] for line in (tmp_path / "log.1").read_text().splitlines()] == ["four"]
    assert (tmp_path / "log").read_text() == ""


def refused(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
