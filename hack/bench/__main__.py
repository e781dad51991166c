"""First figures: `make bench`, or `make bench ARGS="--only cpu,memory"`. Never a test: it says what it measured."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from hack.bench.cache import measure_cpu, measure_memory
from hack.bench.figures import Figure, table_of, write_json

# What stands in for kubelets and for a user is the tests' own.
sys.path.insert(0, str(Path(__file__).parents[2] / "test"))

from hack.bench.writes import measure_quiet, measure_writes

_PARTS: dict[str, Callable[[], list[Figure]]] = {
    "cpu": measure_cpu,
    "memory": measure_memory,
    "writes": measure_writes,
    "quiet": measure_quiet,
}


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(_PARTS), help=f"of {', '.join(_PARTS)}; default: all")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    options = parser.parse_args()
    figures = [figure for part in options.only for figure in _PARTS[part]()]
    Console().print(table_of(figures))
    write_json(figures, options.json)
    print(f"JSON: {options.json}")
    return 0


def _parts(text: str) -> list[str]:
    unknown = [part for part in text.split(",") if part not in _PARTS]
    if unknown:
        message = f"{', '.join(unknown)}: no such part; choose of {', '.join(_PARTS)}"
        raise argparse.ArgumentTypeError(message)
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
