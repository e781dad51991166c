"""Environments of tools: made once, however many ask."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hack import environments

# How long one waits inside for another that must not come.
_PATIENCE_SECONDS = 0.3


def test_two_test_runs_on_a_bare_machine_make_an_environment_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, ran = threading.Barrier(2), []

    def run(command: Sequence[str], *, check: bool) -> None:
        assert check
        ran.append(command[2])
        if "venv" in command:
            Path(command[-1]).mkdir()
            try:
                together.wait(_PATIENCE_SECONDS)
            except threading.BrokenBarrierError:
                return

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("hack.environments.subprocess.run", run)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(environments.ensure_environment, ["lua", "lua"])
    assert one == other
    assert ran == ["venv", "pip"]
