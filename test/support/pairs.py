"""Few rows in which every two choices of every two switches meet: most faults of options need no more than two."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

# A switch's name and the number of its choice, from 0.
Choice = tuple[str, int]


def pairwise(counts: Mapping[str, int]) -> list[dict[str, int]]:
    """Rows that give each switch the number of a choice, out of so many as ``counts`` says.

    Greedy, and the same for the same switches; about as many as the square of the highest count, and some.
    """
    uncovered = _all_pairs(counts)
    rows = []
    while uncovered:
        row = _row(counts, uncovered)
        uncovered -= pairs(row)
        rows.append(row)
    return rows


def pairs(row: Mapping[str, int]) -> set[frozenset[Choice]]:
    """The pairs that meet in a row."""
    return {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}


def _all_pairs(counts: Mapping[str, int]) -> set[frozenset[Choice]]:
    choices = [[(name, number) for number in range(count)] for name, count in counts.items()]
    return {
        frozenset(pair) for one, other in itertools.combinations(choices, 2) for pair in itertools.product(one, other)
    }


def _row(counts: Mapping[str, int], uncovered: set[frozenset[Choice]]) -> dict[str, int]:
    """Begin with a pair that no row has, and give each other switch the choice that brings most."""
    row = dict(min(uncovered, key=sorted))
    for name, count in counts.items():
        if name not in row:
            row[name] = _best([(name, number) for number in range(count)], row.items(), uncovered)
    return row


def _best(choices: Sequence[Choice], taken: Iterable[Choice], uncovered: set[frozenset[Choice]]) -> int:
    _, number = max(choices, key=lambda choice: sum(frozenset({choice, other}) in uncovered for other in taken))
    return number
