"""Prometheus and promtool for tests: those on the PATH, else out of Debian's package, unpacked into the user's cache.

`python -m hack.prometheus` prints promtool's path. Nothing is installed, and no right of root is needed: the package
lists are fetched beside it, since a bare machine's own may be missing, or too old to find the package by.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = "prometheus"
_NEEDED = ("apt-get", "dpkg")


class PrometheusMissing(RuntimeError):
    """Raised when there is no Prometheus and none can be had; the text says what would do."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The paths of its two programs."""

    server: Path
    promtool: Path


def ensure_prometheus() -> Prometheus:
    """Both programs, fetching them if they are not there; raises PrometheusMissing."""
    found = [shutil.which(name) for name in ("prometheus", "promtool")]
    if all(found):
        server, promtool = (Path(str(path)) for path in found)
        return Prometheus(server, promtool)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aiop" / "prometheus"
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs on one machine fetch it once
        return _programs(_newest(base) or _fetched(base))


def _newest(base: Path) -> Path | None:
    """The folder of the version that was unpacked last."""
    return max(base.glob("*/usr/bin"), key=lambda folder: folder.stat().st_ctime, default=None)


def _programs(folder: Path) -> Prometheus:
    return Prometheus(folder / "prometheus", folder / "promtool")


def _fetched(base: Path) -> Path:
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if missing:
        message = (
            f"no promtool and prometheus on the PATH, nor {' and '.join(missing)} to fetch them with: install them"
        )
        raise PrometheusMissing(message)
    with tempfile.TemporaryDirectory(dir=base) as name:
        work = Path(name)
        package = _downloaded(work)
        version = _said("dpkg-deb", "--field", str(package), "Version").strip()
        unpacked = work / "unpacked"
        _said("dpkg-deb", "--extract", str(package), str(unpacked))
        # atomic: the path exists only once all of it is there
        unpacked.rename(base / version)
    return base / version / "usr" / "bin"


def _downloaded(work: Path) -> Path:
    """The package, its hash checked by apt against the distribution's signed lists."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    settings = {
        "Dir::State::Lists": str(work / "lists"),
        "Dir::Cache": str(work / "cache"),
        # What apt would become in order to download may not write here.
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    _said(*apt, "update")
    _said(*apt, "download", _PACKAGE, folder=work)
    (package,) = work.glob("*.deb")
    return package


def _said(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        message = (
            f"{' '.join(command)} failed with exit code {done.returncode}: {done.stderr.strip()}; "
            "with promtool and prometheus on the PATH nothing needs to be fetched"
        )
        raise PrometheusMissing(message)
    return done.stdout


if __name__ == "__main__":
    print(ensure_prometheus().promtool)
