"""The real control plane as a script: told to stop, it stops, however far it has come."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubectl import eventually

ROOT = Path(__file__).parents[3]
BOUND_SECONDS = 60
# Never ready, and deaf to SIGTERM.
_HANGS = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A control plane whose etcd hangs."""
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        program = assets / name
        program.write_text(_HANGS)
        program.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "KUBEBUILDER_ASSETS": str(assets), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-m", "hack.controlplane.launch"], stdin=subprocess.PIPE, cwd=ROOT, env=environment
    ) as process:
        eventually(lambda: processes_of(tmp_path))
        yield process
        process.kill()


def processes_of(folder: Path) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(folder / "assets") in line]


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "the end of its input"])
def test_told_to_stop_while_it_starts_it_stops_and_leaves_nothing(
    launcher: subprocess.Popen[bytes], tmp_path: Path, how: str
) -> None:
    if how.startswith("SIG"):
        launcher.send_signal(signal.Signals[how])
    else:
        assert launcher.stdin is not None
        launcher.stdin.close()
    assert launcher.wait(BOUND_SECONDS) == 0
    assert processes_of(tmp_path) == []
    assert list((tmp_path / "tmp").glob("aiop-controlplane-*")) == []
