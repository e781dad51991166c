"""What an explanation is made of: what is wanted, what is, the one cause, and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiop.controllers.serving.words import one_line
from aiop.runtime.client.resource import ObjectKey, Resource

# The version of the JSON form: it grows by adding fields only.
FORMAT = 1
# A cause with the words of a scheduler in it; more is a log, and not one line.
_CAUSE = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a cause was read: the object, and the part of it (a condition, a container's state, an event)."""

    kind: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        where = f"{self.kind.lower()}/{self.name}"
        return f"{where}, {self.part}" if self.part else where


@dataclass(frozen=True, slots=True)
class Finding:
    """What one link of the chain found; texts of the cluster may stand in it as they came.

    ``next`` is what happens by itself, ``at`` when (None: that is not known), ``fix`` what the reader can do, and
    ``numbers`` what was counted. ``harmless`` is true for what holds nothing back yet is worth a line.
    """

    reason: str
    message: str
    source: Source
    next: str = ""
    at: datetime | None = None
    fix: str = ""
    numbers: Mapping[str, int | str] = field(default_factory=dict)
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """What the caller may not read, or what did not answer."""

    resource: str
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """An object's state and the one cause that holds it back (None: nothing does).

    ``state`` is one word, ``wanted`` and ``found`` are sentences without an end; ``notes`` say what qualifies the rest:
    an operator that does not answer, a condition that disagrees, what could not be read.
    """

    resource: Resource
    key: ObjectKey
    generation: int
    state: str
    healthy: bool
    wanted: str
    found: str
    servers: Mapping[str, int] = field(default_factory=dict)
    cause: Finding | None = None
    condition: Mapping[str, str] = field(default_factory=dict)
    operator: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    unread: Sequence[Unread] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented form; every text is one line without control characters."""
        return {
            "version": FORMAT,
            "object": {
                "apiVersion": self.resource.api_version,
                "kind": self.resource.kind,
                "namespace": self.key.namespace,
                "name": self.key.name,
                "generation": self.generation,
            },
            "state": self.state,
            "healthy": self.healthy,
            "wanted": clean(self.wanted),
            "found": clean(self.found),
            "servers": dict(self.servers),
            "cause": _cause(self.cause) if self.cause is not None else None,
            "condition": {name: clean(text) for name, text in self.condition.items()} or None,
            "operator": dict(self.operator),
            "notes": [clean(note) for note in self.notes],
            "unread": [{"resource": each.resource, "why": clean(each.why)} for each in self.unread],
        }


def clean(text: str) -> str:
    """One line that moves no cursor, of a bounded length."""
    return one_line(text, _CAUSE)


def _cause(found: Finding) -> dict[str, Any]:
    return {
        "reason": clean(found.reason),
        "message": clean(found.message),
        "numbers": {
            clean(name): clean(each) if isinstance(each, str) else each for name, each in found.numbers.items()
        },
        "source": {
            "kind": clean(found.source.kind),
            "name": clean(found.source.name),
            "part": clean(found.source.part),
        },
        "next": clean(found.next),
        "at": f"{found.at:%Y-%m-%dT%H:%M:%SZ}" if found.at is not None else None,
        "fix": clean(found.fix),
        "holdsBack": not found.harmless,
    }
