import asyncio
from collections.abc import AsyncIterator

import pytest

from aiop.runtime.client.errors import ConnectionFailed
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.conditions.events import ObjectReference
from support.clock import settle
from support.eventbench import COLLECTION, Bench, recording
from support.transport import echo, refusal


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with recording() as bench:
        yield bench


async def test_an_event_says_who_what_and_about_which_object(bench: Bench) -> None:
    bench.say()
    await settle()
    assert bench.transport.lines() == [COLLECTION]
    (body,) = bench.transport.bodies()
    assert body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "one.0001", "namespace": "default"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "aiop",
        "reportingInstance": ("pod-1_" + "x" * 200)[:128],
        "action": "Reconcile",
        "reason": "ImageMissing",
        "regarding": {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "namespace": "default",
            "name": "one",
            "uid": "u1",
        },
        "note": "image missing",
        "type": "Warning",
    }


async def test_a_cluster_scoped_object_speaks_in_the_default_namespace(bench: Bench) -> None:
    bench.say(ObjectReference("example.com/v1", "Planet", "", "mars", "u9"))
    await settle()
    assert bench.transport.lines() == [COLLECTION]
    (body,) = bench.transport.bodies()
    assert "namespace" not in body["regarding"]


async def test_the_same_words_much_later_are_a_new_event(bench: Bench) -> None:
    bench.say()
    await bench.clock.advance(361)
    bench.say()
    await settle()
    assert bench.transport.lines() == [COLLECTION, COLLECTION]


async def test_a_series_whose_event_is_gone_begins_anew(bench: Bench) -> None:
    async def forgetful(request: Request) -> Response:
        return refusal(404, "NotFound") if request.method == "PATCH" else await echo(request)

    bench.transport.answer = forgetful
    bench.say()
    bench.say()
    await settle()
    assert [line.split()[0] for line in bench.transport.lines()] == ["POST", "PATCH", "POST"]
    bench.transport.answer = echo
    bench.say()
    await settle()
    assert bench.transport.lines()[-1].endswith("/events/one.0002")


async def test_a_note_is_cut_to_a_kilobyte_and_never_inside_a_character(bench: Bench) -> None:
    bench.say(note="x" + "é" * 1000)
    await settle()
    (body,) = bench.transport.bodies()
    assert body["note"] == "x" + "é" * 511


async def test_an_event_that_cannot_be_written_is_dropped_and_the_next_one_is_said(bench: Bench) -> None:
    async def down(_request: Request) -> Response:
        raise ConnectionFailed

    bench.transport.answer = down
    bench.say()
    await settle()
    bench.transport.answer = echo
    bench.say(note="back again")
    await settle()
    assert [body["note"] for body in bench.transport.bodies()] == ["image missing", "back again"]


async def test_recording_never_waits_and_what_waits_is_bounded(bench: Bench) -> None:
    async def never(_request: Request) -> Response:
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        return await waiting

    bench.transport.answer = never
    for number in range(3000):
        bench.say(ObjectReference("example.com/v1", "Widget", "default", f"w{number}", f"u{number}"))
    await settle()
    assert bench.recorder.waiting <= 1000
    assert len(bench.transport.requests) == 1
