"""The published CRDs of other projects, for tests: out of their Go modules, into Go's own module cache.

`python -m hack.definitions` prints their paths. Each module is pinned by version and by the hash that a go.sum has.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.golang import go_command


class DefinitionsMissing(RuntimeError):
    """Raised when a module cannot be had, or is not what was pinned; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module, and those of its files that are wanted."""

    path: str
    version: str
    sum: str
    folder: str
    files: tuple[str, ...]


GATEWAY_API = Module(
    "sigs.k8s.io/gateway-api",
    "v1.5.1",
    "h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0=",
    "config/crd/standard",
    ("gateway.networking.k8s.io_gateways.yaml", "gateway.networking.k8s.io_httproutes.yaml"),
)
PROMETHEUS_OPERATOR = Module(
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    "example/prometheus-operator-crd",
    ("monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_podmonitors.yaml"),
)


def definitions(module: Module) -> tuple[Path, ...]:
    """The paths of its CRDs, fetching the module if it is not there; raises DefinitionsMissing."""
    folder = _downloaded(module) / module.folder
    return tuple(folder / name for name in module.files)


def _downloaded(module: Module) -> Path:
    wanted = f"{module.path}@{module.version}"
    # From / no go.mod of ours has a say.
    done = subprocess.run(
        [go_command(), "mod", "download", "-json", wanted], capture_output=True, text=True, check=False, cwd="/"
    )
    answer = json.loads(done.stdout or "{}")
    if done.returncode or answer.get("Sum") != module.sum:
        message = f"{wanted} cannot be had: {answer.get('Error') or done.stderr or 'its hash is ' + answer['Sum']}"
        raise DefinitionsMissing(message)
    return Path(answer["Dir"])


if __name__ == "__main__":
    for each in (GATEWAY_API, PROMETHEUS_OPERATOR):
        print(*definitions(each), sep="\n")
