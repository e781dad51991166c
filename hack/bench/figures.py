"""A measured number with its unit, goal and the way it was measured; as a table for people."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table

from hack.bench.machine import machine

# From here on a number needs no decimals, and from the second on one is enough.
_WHOLE, _TENTHS = 100, 10


@dataclass(frozen=True, slots=True)
class Figure:
    """``goal`` is an upper bound and ``at_least`` a lower one; None: there is none."""

    name: str
    value: float
    unit: str
    how: str
    goal: float | None = None
    at_least: float | None = None

    @property
    def measured(self) -> str:
        """The number with its unit."""
        return f"{in_figures(self.value)} {self.unit}"

    @property
    def aim(self) -> str:
        """The goal, and whether it was missed; nothing where there is none."""
        if self.goal is not None:
            return f"≤ {in_figures(self.goal)} {self.unit}" + (" (missed)" if self.value > self.goal else "")
        if self.at_least is not None:
            return f"≥ {in_figures(self.at_least)} {self.unit}" + (" (missed)" if self.value < self.at_least else "")
        return ""


def table_of(figures: Iterable[Figure]) -> Table:
    """For people."""
    table = Table(title=machine())
    for heading in ("figure", "measured", "goal", "how"):
        table.add_column(heading, overflow="fold", justify="right" if heading in {"measured", "goal"} else "left")
    for figure in figures:
        table.add_row(figure.name, figure.measured, figure.aim, figure.how)
    return table


def in_figures(value: float) -> str:
    """About three significant digits, with commas and never as a power of ten."""
    if abs(value) >= _WHOLE or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= _TENTHS else f"{value:.2g}" if abs(value) < 1 else f"{value:.2f}"


def scaled(count: int, scale: float) -> int:
    """So many of them in a run of that scale; never none."""
    return max(1, round(count * scale))
