"""Environments for tools that have no part in the project's own: hashed requirements, in the cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_REQUIREMENTS = Path(__file__).parents[1] / "requirements"
_INSTALL = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]


def ensure_environment(name: str) -> Path:
    """The Python of an environment with ``requirements/NAME.txt`` and nothing else, making it if it is not there."""
    requirements = _REQUIREMENTS / f"{name}.txt"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "aiop" / name / hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    python, made = folder / "bin" / "python", folder / ".made"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers of one test run make it once
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(python), "-m", "pip", *_INSTALL, "-r", str(requirements)], check=True)
            made.touch()
    return python
