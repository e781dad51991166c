"""What can befall a request on its way to the API server and its answer on the way back.

A fault is given the exchange and the way onward; it goes that way once, twice, later or never.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

_MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ASIDE = re.compile(r"/(leases|events)(/|$)")


class Dropped(Exception):
    """Raised when the caller gets no answer: its connection is aborted."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it came; ``target`` is path and query as they were sent.

    ``spawn`` runs what must go on although the caller may have gone; ``draw`` in [0, 1) is the proxy's own chance.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    spawn: "Callable[[Coroutine[Any, Any, Answer]], asyncio.Task[Answer]]"
    draw: Callable[[], float]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def watches(self) -> bool:
        return self.method == "GET" and self.query.get("watch") in {"true", "1"}

    @property
    def mutates(self) -> bool:
        return self.method in _MUTATING


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole body, or for a watch its lines as they come."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: AsyncIterator[bytes] | None = None


Onward = Callable[[], Awaitable[Answer]]
Fault = Callable[[Exchange, Onward], Awaitable[Answer]]
Predicate = Callable[[Exchange], bool]


def always(_exchange: Exchange) -> bool:
    return True


def is_write(exchange: Exchange) -> bool:
    """A mutating request, those of elections and of events left aside."""
    return exchange.mutates and not _ASIDE.search(exchange.path)


def is_watch(exchange: Exchange) -> bool:
    return exchange.watches


def is_lease(exchange: Exchange) -> bool:
    return "/leases" in exchange.path


def on(pattern: str, when: Predicate = always) -> Predicate:
    """``when``, and ``pattern`` is found in the path."""
    found = re.compile(pattern).search
    return lambda exchange: bool(found(exchange.path)) and when(exchange)


def answers(code: int, reason: str, *, retry_after: int | None = None) -> Fault:
    """Nothing is forwarded; the answer is a Status of ours."""
    headers = {"Content-Type": "application/json"} | ({"Retry-After": str(retry_after)} if retry_after else {})

    async def fault(_exchange: Exchange, _onward: Onward) -> Answer:
        return Answer(code, status_of(code, reason), headers)

    return fault


def refuses() -> Fault:
    """Nothing is forwarded; the connection is reset."""

    async def fault(_exchange: Exchange, _onward: Onward) -> Answer:
        raise Dropped

    return fault


def swallows() -> Fault:
    """Nothing is forwarded and nothing ever comes back: the other end of the connection is gone and nobody says so."""

    async def fault(_exchange: Exchange, _onward: Onward) -> Answer:
        await asyncio.get_running_loop().create_future()
        raise Dropped

    return fault


def delays(low: float, high: float, *, back: bool = False) -> Fault:
    """Seconds from ``low`` to ``high`` pass on the way there, or ``back``; it arrives though its caller is gone."""

    async def fault(exchange: Exchange, onward: Onward) -> Answer:
        seconds = low + (high - low) * exchange.draw()
        if back:
            answer = await onward()
            await asyncio.sleep(seconds)
            return answer
        await asyncio.sleep(seconds)
        return await onward()

    return fault


def loses_answer() -> Fault:
    """The work is done and the caller never hears of it."""

    async def fault(_exchange: Exchange, onward: Onward) -> Answer:
        await onward()
        raise Dropped

    return fault


def duplicates(low: float, high: float) -> Fault:
    """The request arrives a second time, seconds after the first; the answer is the first one's."""

    async def fault(exchange: Exchange, onward: Onward) -> Answer:
        answer = await onward()

        async def again() -> Answer:
            await asyncio.sleep(low + (high - low) * exchange.draw())
            return await onward()

        exchange.spawn(again())
        return answer

    return fault


def kills(kill: Callable[[], None], *, before: bool) -> Fault:
    """The caller dies: before the request arrives, or after it was done and before the answer."""

    async def fault(_exchange: Exchange, onward: Onward) -> Answer:
        if not before:
            await onward()
        kill()
        raise Dropped

    return fault


def falls_silent() -> Fault:
    """A watch opens as it should and never says a word."""

    async def fault(_exchange: Exchange, onward: Onward) -> Answer:
        answer = await onward()
        return replace(answer, lines=_silence(_lines(answer)))

    return fault


def cuts_line(number: int, *, at: int) -> Fault:
    """A watch breaks off after ``at`` bytes of its line ``number`` (from 0)."""

    async def fault(_exchange: Exchange, onward: Onward) -> Answer:
        answer = await onward()
        return replace(answer, lines=_cut(_lines(answer), number, at))

    return fault


def expires(*, after: int) -> Fault:
    """A watch ends with an ERROR event of 410 after so many lines."""

    async def fault(_exchange: Exchange, onward: Onward) -> Answer:
        answer = await onward()
        return replace(answer, lines=_expire(_lines(answer), after))

    return fault


def status_of(code: int, reason: str) -> bytes:
    """The Status object of a failure."""
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {}}
    return json.dumps(said | {"reason": reason, "code": code, "message": f"the proxy says {reason}"}).encode()


def _lines(answer: Answer) -> AsyncIterator[bytes]:
    assert answer.lines is not None, f"only a watch that opened has lines: {answer.status} {answer.body!r}"
    return answer.lines


async def _silence(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(lines):  # type: ignore[type-var]  # an async generator
        async for _ in lines:
            pass
        yield b""


async def _cut(lines: AsyncIterator[bytes], number: int, at: int) -> AsyncIterator[bytes]:
    async with aclosing(lines):  # type: ignore[type-var]  # an async generator
        left = number
        async for line in lines:
            if left == 0:
                yield line[:at]
                raise Dropped
            left -= 1
            yield line


async def _expire(lines: AsyncIterator[bytes], after: int) -> AsyncIterator[bytes]:
    async with aclosing(lines):  # type: ignore[type-var]  # an async generator
        left = after
        while left:
            line = await anext(lines, None)
            if line is None:
                return
            left -= 1
            yield line
        yield b'{"type":"ERROR","object":' + status_of(410, "Expired") + b"}\n"
