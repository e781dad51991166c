"""Prometheus and promtool for tests: those on the PATH, else out of Debian's package, unpacked into the user's cache.

`python -m hack.prometheus` prints promtool's path. Nothing is installed, and no right of root is needed.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hack import debian
from hack.cache import alone, cache_folder

_PACKAGE = "prometheus"


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
    base = cache_folder() / "prometheus"
    with alone(base):
        return _programs(_newest(base) or _fetched(base))


def _newest(base: Path) -> Path | None:
    """The folder of the version that was unpacked last."""
    return max(base.glob("*/usr/bin"), key=lambda folder: folder.stat().st_ctime, default=None)


def _programs(folder: Path) -> Prometheus:
    return Prometheus(folder / "prometheus", folder / "promtool")


def _fetched(base: Path) -> Path:
    try:
        (package,) = debian.download([_PACKAGE])
        version = debian.version(package)
        with tempfile.TemporaryDirectory(dir=base) as work:
            unpacked = Path(work) / "unpacked"
            debian.unpack([package], unpacked)
            # atomic: the path exists only once all of it is there
            unpacked.rename(base / version)
    except debian.DebianMissing as error:
        raise PrometheusMissing(
            f"{error}; with promtool and prometheus on the PATH nothing needs to be fetched"
        ) from error
    return base / version / "usr" / "bin"


if __name__ == "__main__":
    print(ensure_prometheus().promtool)
