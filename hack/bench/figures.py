"""A measured number with its unit, goal and the way it was measured; as a table and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """``goal`` is an upper bound; None: there is none."""

    name: str
    value: float
    unit: str
    how: str
    goal: float | None = None


def table_of(figures: Sequence[Figure]) -> Table:
    """For people."""
    table = Table(title=_machine())
    for heading in ("figure", "measured", "goal", "how"):
        table.add_column(heading, overflow="fold", justify="right" if heading in {"measured", "goal"} else "left")
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        table.add_row(figure.name, f"{figure.value:.4g} {figure.unit}", goal, figure.how)
    return table


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """For machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": _machine(), "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()} {platform.system()}"
