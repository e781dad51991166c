"""Build the real control plane for tests, once, into the cache: one binary of the published Go modules.

`python -m hack.controlplane.build [VERSION]` prints the binary's path. A cold build takes about 6 minutes on 2 cores.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hack.environments import ensure_environment

HERE = Path(__file__).parent
DEFAULT_VERSION = "1.37.2"


class BuildFailed(RuntimeError):
    """Raised when the control plane cannot be built; the text says what was tried."""


def cache_folder() -> Path:
    """The user's cache folder for this project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "aiop"


def wanted_version() -> str:
    """$KUBERNETES_VERSION, or the default."""
    return os.environ.get("KUBERNETES_VERSION") or DEFAULT_VERSION


def binary_path(version: str) -> Path:
    """Where the binary of ``version`` lies once it is built; another source means another path."""
    digest = hashlib.sha256()
    for source in sorted([*HERE.glob("*.go"), *_module_files(version)]):
        digest.update(source.read_bytes())
    return cache_folder() / "controlplane" / version / digest.hexdigest()[:12] / "controlplane"


def ensure_built(version: str | None = None) -> Path:
    """The binary's path, building it if it is not there; raises BuildFailed."""
    version = version or wanted_version()
    binary = binary_path(version)
    if binary.exists():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with (binary.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs on one machine build once
        if not binary.exists():
            _build(version, binary)
    return binary


def _module_files(version: str) -> tuple[Path, Path]:
    module, sums = (HERE / "versions" / f"{version}.{suffix}" for suffix in ("mod", "sum"))
    if not module.exists():
        known = ", ".join(sorted(path.stem for path in module.parent.glob("*.mod")))
        message = f"Kubernetes {version} is not pinned (pinned: {known}); run python -m hack.controlplane.pin {version}"
        raise BuildFailed(message)
    return module, sums


def _build(version: str, binary: Path) -> None:
    work = binary.parent / "source"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for source in HERE.glob("*.go"):
        shutil.copy(source, work)
    for path, name in zip(_module_files(version), ("go.mod", "go.sum"), strict=True):
        shutil.copy(path, work / name)
    major, minor, _ = version.split(".")
    variables = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
    built = work / "controlplane"
    go = go_command(needed_go(work / "go.mod"))
    print(f"building the Kubernetes {version} control plane, once; a cold build takes some minutes", file=sys.stderr)
    command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {flags}", "-o", str(built), "."]
    done = subprocess.run(command, cwd=work, env=_go_environment(), check=False)
    if done.returncode:
        message = f"go build of Kubernetes {version} failed with exit code {done.returncode}; its words stand above"
        raise BuildFailed(message)
    built.rename(binary)  # atomic: the path exists only once the binary is whole
    shutil.rmtree(work, ignore_errors=True)


def _go_environment() -> Mapping[str, str]:
    # The toolchain is the one chosen here; fetching another is not this script's to decide.
    return {**os.environ, "GOTOOLCHAIN": "local"}


def needed_go(module: Path) -> tuple[int, ...]:
    """The Go version that a go.mod asks for, for `go_command`."""
    (version,) = re.findall(r"^go (\S+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    return _numbers(version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


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


def _version_of(go: str) -> tuple[int, ...]:
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False, env=_go_environment())
    found = re.search(r"go version go(\S+)", answer.stdout)
    return _numbers(found.group(1)) if found else ()


if __name__ == "__main__":
    print(ensure_built(sys.argv[1] if len(sys.argv) > 1 else None))
