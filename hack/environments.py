"""Environments for tools that have no part in the project's own: hashed requirements, in the cache."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from hack.cache import alone, cache_folder

_REQUIREMENTS = Path(__file__).parents[1] / "requirements"
_INSTALL = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]


def ensure_environment(name: str) -> Path:
    """The Python of an environment with ``requirements/NAME.txt`` and nothing else, making it if it is not there."""
    requirements = _REQUIREMENTS / f"{name}.txt"
    folder = cache_folder() / name / hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    python, made = folder / "bin" / "python", folder / ".made"
    with alone(folder.parent):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(python), "-m", "pip", *_INSTALL, "-r", str(requirements)], check=True)
            made.touch()
    return python
