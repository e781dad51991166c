"""kopf in an environment of its own, from hashed requirements, in the cache: it has no part in this project's."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "bench.txt"
_INSTALL = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(REQUIREMENTS)]


def ensure_kopf() -> Path:
    """Its Python, making the environment if it is not there."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "aiop" / "bench" / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    python, made = folder / "bin" / "python", folder / ".made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", *_INSTALL], check=True)
        made.touch()
    return python


def kopf_version() -> str:
    """The pinned one."""
    pins = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    (pin,) = [line for line in pins if line.startswith("kopf==")]
    return pin.removeprefix("kopf==").split()[0]
