"""The fetcher's own environment, and those of the servers it is run against: made once, in the user's cache.

They are keyed by what pins them, so that another pin makes another environment.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hack.cache import alone, cache_folder
from hack.golang import ensure_program

ROOT = Path(__file__).parents[3]
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
    sources = {name: _SOURCES / "registry" / name for name in ("go.mod", "go.sum", "main.go")}
    return ensure_program(_folder("registry", list(sources.values())) / "registry", sources, "a container registry")


def _made(name: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    folder = _folder(name, sources)
    with alone(folder.parent, f"{name}.lock"):
        done = folder / ".made"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def _folder(name: str, sources: list[Path]) -> Path:
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return cache_folder() / "fetcher" / f"{name}-{digest}"
