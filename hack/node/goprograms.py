"""Programs of the node that are built of published Go modules, once, into the user's cache.

Each has a folder here with its main.go, and the go.mod and go.sum that pin what it is made of.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hack.controlplane.build import BuildFailed, cache_folder, go_command, needed_go

HERE = Path(__file__).parent
_SOURCES = ("main.go", "go.mod", "go.sum")


def ensure_go_program(name: str) -> Path:
    """The path of the program in the folder ``name``, building it if it is not there; raises BuildFailed."""
    sources = [HERE / name / source for source in _SOURCES]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    program = cache_folder() / "node" / name / digest / name
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs on one machine build once
        if not program.exists():
            _build(sources, program)
    return program


def _build(sources: list[Path], program: Path) -> None:
    print(f"building {program.name}, once; a cold build takes some minutes", file=sys.stderr)
    work = program.parent / "source"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for source in sources:
        shutil.copy(source, work)
    command = [go_command(needed_go(work / "go.mod")), "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([*command, "-o", "built", "."], cwd=work, env=environment, check=False)
    if done.returncode:
        message = f"go build of {program.name} failed with exit code {done.returncode}; its words stand above"
        raise BuildFailed(message)
    (work / "built").rename(program)  # atomic: the path exists only once the program is whole
    shutil.rmtree(work, ignore_errors=True)
