"""Build the real control plane for tests, once, into the cache: one binary of the published Go modules.

`python -m hack.controlplane.build [VERSION]` prints the binary's path. A cold build takes about 6 minutes on 2 cores.
"""

import hashlib
import os
import sys
from pathlib import Path

from hack.cache import cache_folder
from hack.golang import BuildFailed, ensure_program

HERE = Path(__file__).parent
DEFAULT_VERSION = "1.37.2"


def wanted_version() -> str:
    """$KUBERNETES_VERSION, or the default."""
    return os.environ.get("KUBERNETES_VERSION") or DEFAULT_VERSION


def ensure_built(version: str | None = None) -> Path:
    """The binary's path, building it if it is not there; raises BuildFailed. Another source means another path."""
    version = version or wanted_version()
    modules = _module_files(version)
    programs = list(HERE.glob("*.go"))
    digest = hashlib.sha256()
    for source in sorted([*programs, *modules]):
        digest.update(source.read_bytes())
    binary = cache_folder() / "controlplane" / version / digest.hexdigest()[:12] / "controlplane"
    sources = {each.name: each for each in programs} | dict(zip(("go.mod", "go.sum"), modules, strict=True))
    major, minor, _ = version.split(".")
    variables = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    linker = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
    return ensure_program(binary, sources, f"the Kubernetes {version} control plane", linker)


def _module_files(version: str) -> tuple[Path, Path]:
    module, sums = (HERE / "versions" / f"{version}.{suffix}" for suffix in ("mod", "sum"))
    if not module.exists():
        known = ", ".join(sorted(path.stem for path in module.parent.glob("*.mod")))
        message = f"Kubernetes {version} is not pinned (pinned: {known}); run python -m hack.controlplane.pin {version}"
        raise BuildFailed(message)
    return module, sums


if __name__ == "__main__":
    print(ensure_built(sys.argv[1] if len(sys.argv) > 1 else None))
