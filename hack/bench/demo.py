"""How long `make demo` takes: on a bare machine (a new clone, an empty home, nothing cached), and the second time."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.bench.figures import Figure

_CHECKOUT = Path(__file__).parents[2]
_BOUND_SECONDS = 900
_REQUESTS = re.compile(r"^Requests: (?P<answered>\d+) answered, (?P<failed>\d+) failed\.$")
# What a caller may have set to find packages more quickly; a bare machine has none of it.
_NOT_BARE = ("PIP_CACHE_DIR", "PIP_FIND_LINKS", "XDG_CACHE_HOME", "PYTHONPATH", "VIRTUAL_ENV")


class DemoFailed(Exception):
    """Raised when a demo that is measured does not end well; the text is what it printed."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Seconds from the command until then, and the requests."""

    prediction: float
    end: float
    answered: int
    failed: int


def measure_demo(_scale: float) -> list[Figure]:
    """Two runs of `make demo ARGS=--once` in a new clone of what is committed; the same at any scale."""
    with tempfile.TemporaryDirectory(prefix="aiop-bench-demo-") as folder:
        clone, home = Path(folder, "clone"), Path(folder, "home")
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(_CHECKOUT), str(clone)], check=True)
        bare = {name: value for name, value in os.environ.items() if name not in _NOT_BARE}
        first, second = (_run(clone, {**bare, "HOME": str(home)}) for _ in range(2))
    how = "`make demo ARGS=--once` in a new clone with an empty home, packages downloaded"
    return [
        Figure("demo on a bare machine: until the first prediction", first.prediction, "s", how, goal=120.0),
        Figure("… until the story is over", first.end, "s", f"the same run; {first.answered} requests"),
        Figure("the second time: until the first prediction", second.prediction, "s", "the same command again"),
        Figure("… until the story is over", second.end, "s", f"the same run; {second.answered} requests"),
        Figure("failed requests of both", first.failed + second.failed, "requests", "as the demo counts them", goal=0),
    ]


def _run(clone: Path, environment: Mapping[str, str]) -> _Run:
    began = time.monotonic()
    prediction, printed = 0.0, []
    command = ["timeout", str(_BOUND_SECONDS), "make", "demo", "ARGS=--once"]
    with subprocess.Popen(
        command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None  # noqa: S101 - it was asked for
        for line in demo.stdout:
            printed.append(line)
            if "Prediction:" in line:
                prediction = time.monotonic() - began
    counted = next((match for line in printed if (match := _REQUESTS.match(line))), None)
    if not prediction or counted is None:
        raise DemoFailed("".join(printed))
    return _Run(prediction, time.monotonic() - began, int(counted["answered"]), int(counted["failed"]))
