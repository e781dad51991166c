"""An explanation for people: three lines, and one for each note."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TextIO

from aiop.cli.explain.explanation import Explanation, Finding, clean

_BOLD, _PLAIN = "\033[1m", "\033[0m"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """True for a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def lines_of(explanation: Explanation, now: datetime, *, colour: bool = False) -> Iterator[str]:
    """What is wanted and what is; the cause and where it stands; what comes next. Then the notes."""
    name = f"{explanation.resource.kind.lower()}/{explanation.key.name}"
    yield _labelled(name, f"wanted {explanation.wanted}; {explanation.found}", colour)
    cause = explanation.cause
    if cause is None:
        yield _labelled("cause", "nothing holds it back", colour)
        yield _labelled("next", "nothing: it is as it should be" if explanation.healthy else "look again", colour)
    else:
        yield _labelled("cause", f"{cause.reason}: {cause.message} ({cause.source})", colour)
        yield _labelled("next", _next(cause, now), colour)
    for note in explanation.notes:
        yield _labelled("note", note, colour)


def _labelled(label: str, text: str, colour: bool) -> str:
    shown = clean(label)
    return f"{_BOLD}{shown}:{_PLAIN} {clean(text)}" if colour else f"{shown}: {clean(text)}"


def _next(cause: Finding, now: datetime) -> str:
    parts = []
    if cause.next:
        parts.append(f"{cause.next}{_when(cause.at, now)}")
    if cause.fix and not said_in(cause.fix, f"{cause.message} {cause.next}"):
        # Advice is written for a condition, whose message stands beside it.
        advice = cause.fix.replace("the message", "the line above").replace("The message", "The line above")
        parts.append(f"{advice[0].lower()}{advice[1:]}".rstrip("."))
    return "; ".join(parts) or "look at the cause"


def said_in(advice: str, text: str) -> bool:
    """True if the text has the advice already: its first clause, whatever the case of its first letter."""
    first = re.split("[,:]", advice, maxsplit=1)[0].rstrip(". ")
    return first.casefold() in text.casefold()


def _when(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    seconds = (at - now).total_seconds()
    return f" at {at:%H:%M:%SZ} (in {in_words(seconds)})" if seconds > 0 else " any moment"


def in_words(seconds: float) -> str:
    """A duration as kubectl shows ages: 40s, 5m, 2h, 3d."""
    whole = max(0, round(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE}m"
    return f"{whole // _HOUR}h" if whole < 2 * _DAY else f"{whole // _DAY}d"
