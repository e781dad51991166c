"""Figures: `make bench`, `make bench-node` (Linux, root), or `make bench ARGS="--only cpu,memory"`.

Never a test: it says what it measured.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from hack.bench.cache import measure_cpu, measure_memory
from hack.bench.demo import measure_demo
from hack.bench.figures import Figure, table_of
from hack.bench.loopback import measure_list, measure_loopback
from hack.bench.results import NotForPrint, keep, print_on, read
from hack.debian import DebianMissing
from hack.node.errors import NodeFailed

# What stands in for kubelets and for a user is the tests' own.
sys.path.insert(0, str(Path(__file__).parents[2] / "test"))

from hack.bench.failover import measure_failover
from hack.bench.footprint import measure_footprint
from hack.bench.requests import measure_requests
from hack.bench.startup import measure_startup
from hack.bench.takeover import measure_takeover
from hack.bench.workloads import measure_workloads
from hack.bench.writes import measure_quiet, measure_writes

_PARTS: dict[str, Callable[[float], list[Figure]]] = {
    "cpu": measure_cpu,
    "memory": measure_memory,
    "loopback": measure_loopback,
    "list": measure_list,
    "writes": measure_writes,
    "quiet": measure_quiet,
    "workloads": measure_workloads,
    "failover": measure_failover,
    "startup": measure_startup,
    "requests": measure_requests,
    "footprint": measure_footprint,
    "takeover": measure_takeover,
    "demo": measure_demo,
}
# What runs real pods, and so needs root.
_ON_A_NODE = ("startup", "requests", "footprint", "takeover")


def main() -> int:
    """Measure, print a table, keep the figures as JSON; or print kept figures on a page."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    without = [part for part in _PARTS if part not in _ON_A_NODE]
    what = f"of {', '.join(_PARTS)}; default: all but {', '.join(_ON_A_NODE)}, which need a real node"
    parser.add_argument("--only", type=_parts, default=without, help=what)
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the size, to try it out; default: 1")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures are kept")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="measure nothing: print the kept figures on a page")
    options = parser.parse_args()
    if options.write:
        return _write(options.json, options.write)
    try:
        _measure(options)
    except (NodeFailed, DebianMissing) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"JSON: {options.json}")
    return 0


def _measure(options: argparse.Namespace) -> None:
    for part in options.only:
        figures = _PARTS[part](options.scale)
        Console().print(table_of(figures))
        keep({part: figures}, options.scale, options.json)


def _write(kept: Path, page: Path) -> int:
    try:
        print_on(page, read(kept), list(_PARTS))
    except (NotForPrint, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parts(text: str) -> list[str]:
    unknown = [part for part in text.split(",") if part not in _PARTS]
    if unknown:
        message = f"{', '.join(unknown)}: no such part; choose of {', '.join(_PARTS)}"
        raise argparse.ArgumentTypeError(message)
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
