"""Who held the lease when a write was done, and what the write changed: read from an audit log that holds answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_REFUSED = 300


@dataclass(frozen=True, slots=True)
class Write:
    """A mutating request that was done, of ``user``; ``after`` is the object as it then was, ``version`` its version.

    A deletion is answered without either. Times are the API server's own, as text that sorts.
    """

    user: str
    verb: str
    resource: str
    name: str
    code: int
    received: str
    answered: str
    after: Mapping[str, Any]

    @property
    def done(self) -> bool:
        return self.code < _REFUSED

    @property
    def version(self) -> int:
        return int(self.after.get("metadata", {}).get("resourceVersion", 0))

    def __str__(self) -> str:
        said = {name: self.after[name] for name in ("data", "status", "spec") if name in self.after}
        return (
            f"{self.answered} {self.user} {self.verb} {self.resource}/{self.name} → {self.code} {self.version} {said}"
        )


def read_story(log: Path, namespace: str) -> list[Write]:
    """Every mutating request in that namespace that was answered, in the order of the answers."""
    events = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    found = [
        _write(event)
        for event in events
        if event["stage"] == "ResponseComplete" and event.get("objectRef", {}).get("namespace") == namespace
    ]
    return sorted(found, key=lambda write: write.answered)


def _write(event: dict[str, Any]) -> Write:
    target, answer = event["objectRef"], event.get("responseObject", {})
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    return Write(
        user=event["user"]["username"],
        verb=event["verb"],
        resource=resource,
        name=target.get("name") or answer.get("metadata", {}).get("name", ""),
        code=event["responseStatus"]["code"],
        received=event["requestReceivedTimestamp"],
        answered=event["stageTimestamp"],
        after=answer if answer.get("kind") != "Status" else {},
    )


class Reign:
    """Who held a lease at which version, by the writes that were done to it."""

    def __init__(self, story: list[Write], lease: str) -> None:
        turns = [each for each in story if each.resource == "leases" and each.name == lease and each.done]
        self._turns = sorted((each.version, each.after["spec"].get("holderIdentity") or "") for each in turns)

    @property
    def terms(self) -> list[str]:
        """The holders one after another; an empty name is a lease that was let go."""
        names = [holder for _, holder in self._turns]
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    def holder(self, version: int) -> str:
        """Who held it when the store went on to that version."""
        return next((holder for at, holder in reversed(self._turns) if at < version), "")


def before(story: list[Write], write: Write, resource: str) -> Write | None:
    """The last write before ``write`` to the object of that resource and the same name; None if it was its deletion."""
    found = [
        each
        for each in story
        if each.resource.partition("/")[0] == resource and each.name == write.name and each.done
        if _is_before(each, write)
    ]
    last = max(found, key=lambda each: each.answered, default=None)
    return last if last is not None and last.version else None


def _is_before(one: Write, other: Write) -> bool:
    """By version; of a deletion only the time is known."""
    if one.version and other.version:
        return one.version < other.version
    return one.answered < other.received
