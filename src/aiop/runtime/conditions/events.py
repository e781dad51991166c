"""Events: said once, counted when repeated, gathered when many are alike, and never faster than an object may speak."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from aiop.runtime.client.builtin import EVENTS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import ClientError, NotFound
from aiop.runtime.client.lane import writing_for
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock

log = structlog.get_logger(__name__)

# client-go's spam filter: 25 at once, then one in 5 minutes for each object.
_BURST = 25
_REFILL_SECONDS = 300.0
# The same words within this time are one event with a count (events.k8s.io calls it a series).
_SERIES_SECONDS = 360.0
# client-go's aggregation: after ten events within ten minutes that differ in nothing but their notes, the rest is one.
_ALIKE = 10
_ALIKE_SECONDS = 600.0
_COMBINED = "(combined from similar events): "
# Objects whose state is remembered; the least recently heard of goes first.
_REMEMBERED = 4096
# Events that wait to be written; more than that are dropped, since they may never hold up work.
_PENDING = 1000
# The API's own bounds of a note and of a reporting instance.
_NOTE_BYTES = 1024
_INSTANCE_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """What an event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class _Said:
    regarding: ObjectReference
    event_type: str
    reason: str
    note: str
    action: str


@dataclass(slots=True)
class _Tokens:
    left: float = _BURST
    at: float = 0.0


@dataclass(slots=True)
class _Series:
    key: ObjectKey
    count: int = 1
    last: float = 0.0


@dataclass(slots=True)
class _Alike:
    """When each of the notes was last said, by its hash: the notes themselves would be the largest thing remembered."""

    said_at: dict[int, float] = field(default_factory=dict)

    def admits(self, note: int, now: float) -> bool:
        """True if it may stand for itself; it is among the first so many notes of the last minutes."""
        self.said_at = {each: moment for each, moment in self.said_at.items() if now - moment < _ALIKE_SECONDS}
        if note not in self.said_at and len(self.said_at) >= _ALIKE:
            return False
        self.said_at[note] = now
        return True


@dataclass(slots=True)
class _Memory:
    tokens: OrderedDict[str, _Tokens] = field(default_factory=OrderedDict)
    series: OrderedDict[_Said, _Series] = field(default_factory=OrderedDict)
    alike: OrderedDict[_Said, _Alike] = field(default_factory=OrderedDict)


class EventRecorder:
    """Records events without waiting; ``run`` writes them. What cannot be written is dropped: events are a courtesy."""

    def __init__(self, client: Client, clock: Clock, component: str, instance: str, new_id: Callable[[], str]) -> None:
        self._client = client
        self._clock = clock
        self._component = component
        self._instance = instance[:_INSTANCE_CHARACTERS]
        self._new_id = new_id
        self._memory = _Memory()
        self._pending: asyncio.Queue[_Said] = asyncio.Queue(_PENDING)

    @property
    def waiting(self) -> int:
        """How many events are yet to be written."""
        return self._pending.qsize()

    @property
    def remembered(self) -> int:
        """The most that is kept in mind of one sort: objects' right to speak, series, events that are alike."""
        return max(len(self._memory.tokens), len(self._memory.series), len(self._memory.alike))

    def record(self, regarding: ObjectReference, event_type: str, reason: str, note: str, action: str) -> None:
        """Say that ``reason`` happened (``event_type`` is Normal or Warning); never blocks."""
        said = _Said(regarding, event_type, reason, _bounded(note), action)
        if not self._may_speak(regarding.uid):
            return
        try:
            self._pending.put_nowait(said)
        except asyncio.QueueFull:
            log.warning("event dropped: too many wait", reason=reason, object=f"{regarding.namespace}/{regarding.name}")

    async def run(self) -> None:
        """Write what was recorded, in order; ends only by cancellation."""
        while True:
            said = await self._pending.get()
            try:
                with writing_for("events"):
                    await self._write(said)
            except ClientError as error:
                log.warning("event not written", reason=said.reason, error=str(error))
            finally:
                self._pending.task_done()

    async def written(self) -> None:
        """Return once nothing waits to be written, while `run` runs."""
        await self._pending.join()

    def _may_speak(self, uid: str) -> bool:
        now = self._clock.monotonic()
        tokens = self._memory.tokens.setdefault(uid, _Tokens(at=now))
        self._memory.tokens.move_to_end(uid)
        _trim(self._memory.tokens)
        tokens.left = min(float(_BURST), tokens.left + (now - tokens.at) / _REFILL_SECONDS)
        tokens.at = now
        if tokens.left < 1.0:
            return False
        tokens.left -= 1.0
        return True

    async def _write(self, said: _Said) -> None:
        """Its own event, a count on one, or a count on the one for all that are alike, whose note is its first's."""
        now = self._clock.monotonic()
        key = said if self._stands_for_itself(said, now) else replace(said, note=_COMBINED, action="")
        series = self._memory.series.get(key)
        if series is not None and now - series.last < _SERIES_SECONDS and await self._count(key, series, now):
            return
        note = said.note if key is said else _bounded(_COMBINED + said.note)
        namespace = said.regarding.namespace or "default"
        name = f"{said.regarding.name[:200].rstrip('-.')}.{self._new_id()}"
        body = self._body(replace(said, note=note), name, namespace)
        await self._client.create(EVENTS, namespace, body, field_manager=self._component)
        self._memory.series[key] = _Series(ObjectKey(namespace, name), last=now)
        self._memory.series.move_to_end(key)
        _trim(self._memory.series)

    def _stands_for_itself(self, said: _Said, now: float) -> bool:
        family = replace(said, note="", action="")
        alike = self._memory.alike.setdefault(family, _Alike())
        self._memory.alike.move_to_end(family)
        _trim(self._memory.alike)
        return alike.admits(hash(said.note), now)

    async def _count(self, key: _Said, series: _Series, now: float) -> bool:
        """Raise the count of an event that was said before; False if it is gone."""
        series.count += 1
        series.last = now
        self._memory.series.move_to_end(key)
        change = {"series": {"count": series.count, "lastObservedTime": self._moment()}}
        try:
            await self._client.patch(
                EVENTS, series.key, change, patch_type=PatchType.MERGE, field_manager=self._component
            )
        except NotFound:
            return False
        return True

    def _moment(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _body(self, said: _Said, name: str, namespace: str) -> dict[str, object]:
        about = said.regarding
        regarding = {"apiVersion": about.api_version, "kind": about.kind, "name": about.name, "uid": about.uid}
        if about.namespace:
            regarding["namespace"] = about.namespace
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "eventTime": self._moment(),
            "reportingController": self._component,
            "reportingInstance": self._instance,
            "action": said.action,
            "reason": said.reason,
            "regarding": regarding,
            "note": said.note,
            "type": said.event_type,
        }


def _bounded(note: str) -> str:
    return note.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _trim(memory: OrderedDict[Any, Any]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
