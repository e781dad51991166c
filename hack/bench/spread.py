"""Several measurements of the same: the one in the middle, and how far apart they lie."""

from collections.abc import Sequence
from statistics import median


def middle(values: Sequence[float]) -> float:
    """The median; raises StatisticsError for none."""
    return median(values)


def spread(values: Sequence[float], unit: str) -> str:
    """`median of 5 (1.20 to 3.40 s)`."""
    return f"median of {len(values)} ({min(values):.2f} to {max(values):.2f} {unit})"
