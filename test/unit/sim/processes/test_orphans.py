"""Nothing outlives the cluster, however its caller dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import aiop
from support.foreground import in_foreground

CALLER = "from support.processcaller import main; main()"
ROOT = Path(__file__).parents[4]
# Far longer than a supervisor takes to notice, on however busy a machine.
_PATIENCE_SECONDS = 30.0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    new = children.get(pid, [])
    while new:
        found += new
        new = [child for each in new for child in children.get(each, [])]
    return found


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_no_process_and_no_file_outlives_its_caller(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", CALLER, str(tmp_path)]
    places = os.pathsep.join([str(Path(aiop.__file__).parents[1]), str(ROOT / "test")])
    environment = {**os.environ, "PYTHONPATH": places}
    caller = subprocess.Popen(
        in_foreground(*command), env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        until((tmp_path / "pids").exists)
        known = [*descendants(caller.pid), *map(int, (tmp_path / "pids").read_text().split())]
        assert len(set(known)) >= 4, "janitor, supervisor, program and its child"
        assert all(alive(pid) for pid in known)
    finally:
        os.kill(caller.pid, number)
        try:
            caller.wait(_PATIENCE_SECONDS)
        finally:
            caller.kill()
    until(lambda: not any(alive(pid) for pid in known))
    until(lambda: sorted(each.name for each in tmp_path.iterdir()) == ["pids"])
