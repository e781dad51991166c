"""What a process measures of itself is measured where nobody else is at work."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.ownprocess import IS_OWN

_MARKED = "import pytest\n@pytest.mark.own_process\ndef test_marked(): assert {}, 'it is told why'\n"


@pytest.mark.own_process
def test_a_marked_test_has_no_thread_but_its_own() -> None:
    assert IS_OWN in os.environ
    assert threading.active_count() == 1


@pytest.mark.parametrize(("claim", "code"), [("True", 0), ("False", 1)])
def test_a_marked_test_passes_or_fails_as_it_does_in_its_process(tmp_path: Path, claim: str, code: int) -> None:
    (tmp_path / "test_it.py").write_text(_MARKED.format(claim))
    environment = {name: value for name, value in os.environ.items() if name != IS_OWN}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "support.ownprocess", "--rootdir", ".", "test_it.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ("it is told why" in ran.stdout) == bool(code)
    assert ("in a process of its own" in ran.stdout) == bool(code)
