"""The fetcher's own environment, and those of the servers it is run against: made once, in the user's cache.

They are keyed by what pins them, so that another pin makes another environment.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hack.controlplane.build import cache_folder, go_command

ROOT = Path(__file__).parents[3]
# What the registry's go.mod asks for.
_GO = (1, 25)
_SOURCES = ROOT / "test" / "e2e" / "fetcher"


def python_with(requirements: str) -> Path:
    """The Python of an environment that holds requirements/NAME.txt, checked by hash, and nothing else."""
    pins = ROOT / "requirements" / f"{requirements}.txt"

    def make(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(pins),
        ]
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", *install], check=True)

    return _made(requirements, [pins], make) / "bin" / "python"


def azurite() -> Path:
    """Microsoft's emulator of Azure Storage, from npm by its lock file."""
    sources = [_SOURCES / "azurite" / name for name in ("package.json", "package-lock.json")]

    def make(folder: Path) -> None:
        for source in sources:
            shutil.copy(source, folder)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)

    return _made("azurite", sources, make) / "node_modules" / ".bin" / "azurite-blob"


def registry() -> Path:
    """A container registry, of published Go modules."""
    sources = [_SOURCES / "registry" / name for name in ("go.mod", "go.sum", "main.go")]

    def make(folder: Path) -> None:
        for source in sources:
            shutil.copy(source, folder)
        command = [go_command(_GO), "build", "-trimpath", "-buildvcs=false", "-o", "registry", "."]
        subprocess.run(command, cwd=folder, env={**os.environ, "GOTOOLCHAIN": "local"}, check=True)

    return _made("registry", sources, make) / "registry"


def _made(name: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = cache_folder() / "fetcher" / f"{name}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs on one machine make it once
        done = folder / ".made"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
