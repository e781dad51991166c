"""The demo before a person: keys are pressed in a terminal, which may be closed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiop.cli.demo.story.steps import ON_EMBEDDED
from support.kubectl import eventually
from support.terminal import Terminal

Start = Callable[..., Terminal]
FIRST = f"Next: {ON_EMBEDDED[0].title}. Press Enter."


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the demo in a terminal; its temporary files are under ``tmp_path``."""
    started: list[Terminal] = []

    def begin(*arguments: str) -> Terminal:
        command = [sys.executable, "-m", "aiop", "demo", *arguments]
        started.append(Terminal(command, {**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm"}))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def processes_of(folder: Path) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


def nothing_is_left(folder: Path) -> bool:
    assert processes_of(folder) == []
    assert list(folder.rglob("*")) == []
    return True


def test_enter_leads_from_step_to_step_and_the_terminal_is_as_before(start: Start, tmp_path: Path) -> None:
    terminal = start("--step", "--once")
    for number, step in enumerate(ON_EMBEDDED, 1):
        terminal.until(f"Next: {step.title}. Press Enter.")
        assert f"✓ {number}. " not in terminal.printed
        assert not terminal.shows_what_is_typed
        terminal.type("\n")
        terminal.until(f"✓ {number}. ")
    assert terminal.ended() == 0, terminal.printed
    assert "answered, 0 failed." in terminal.printed
    assert terminal.shows_what_is_typed
    assert nothing_is_left(tmp_path)


def test_ctrl_c_while_it_waits_for_enter_ends_it_with_the_terminal_as_before(start: Start, tmp_path: Path) -> None:
    terminal = start("--step")
    terminal.until(FIRST)
    terminal.type("\x03")
    assert terminal.ended() == 130, terminal.printed
    assert "Traceback" not in terminal.printed
    assert terminal.shows_what_is_typed
    assert nothing_is_left(tmp_path)


def test_a_terminal_that_is_closed_takes_all_of_it_along(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.until("✓ 2. ")
    terminal.close()
    assert terminal.ended() == 129
    assert nothing_is_left(tmp_path)


def test_a_terminal_that_is_closed_while_it_waits_for_enter_lets_no_step_go_on(start: Start, tmp_path: Path) -> None:
    terminal = start("--step")
    terminal.until(FIRST)
    terminal.close()
    assert terminal.ended() == 129
    assert "✓" not in terminal.printed
    assert nothing_is_left(tmp_path)


def test_a_second_ctrl_c_ends_it_at_once_and_leaves_nothing_either(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.until("✓ 1. ")
    terminal.type("\x03\x03\x03")
    assert terminal.ended() == 130, terminal.printed
    # Who ends at once waits for nobody: what cleans up after it ends a moment later.
    eventually(lambda: not processes_of(tmp_path) and list(tmp_path.rglob("*")) == [])
    assert nothing_is_left(tmp_path)
