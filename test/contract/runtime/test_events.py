"""Events: counted when repeated, gathered when alike, and no faster than an object may speak."""

from collections.abc import AsyncIterator

import pytest

from aiop.runtime.conditions.events import ObjectReference
from support.clock import settle
from support.eventbench import COLLECTION, TWO, Bench, recording

COMBINED = "(combined from similar events): "


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with recording() as bench:
        yield bench


def posted(bench: Bench) -> list[str]:
    return [body["note"] for body in bench.transport.bodies() if "note" in body]


@pytest.mark.promise("S37")
async def test_the_same_words_again_are_a_count_on_the_first_event(bench: Bench) -> None:
    bench.say()
    await bench.clock.advance(60)
    bench.say()
    bench.say()
    await settle()
    patch = "PATCH /apis/events.k8s.io/v1/namespaces/default/events/one.0001"
    assert bench.transport.lines() == [COLLECTION, patch, patch]
    moment = "2026-01-01T00:01:00.000000Z"
    assert bench.transport.bodies()[1:] == [
        {"series": {"count": 2, "lastObservedTime": moment}},
        {"series": {"count": 3, "lastObservedTime": moment}},
    ]


@pytest.mark.promise("S37")
async def test_an_object_says_25_things_at_once_and_then_one_in_five_minutes(bench: Bench) -> None:
    for number in range(40):
        bench.say(reason=f"Reason{number}")
    await settle(200)
    assert len(bench.transport.requests) == 25
    await bench.clock.advance(299)
    bench.say(reason="TooEarly")
    await settle()
    assert len(bench.transport.requests) == 25
    await bench.clock.advance(1)
    bench.say(reason="Now")
    bench.say(reason="TooEarlyAgain")
    await settle()
    assert [body["reason"] for body in bench.transport.bodies()[25:]] == ["Now"]


@pytest.mark.promise("S37")
async def test_one_talkative_object_silences_no_other(bench: Bench) -> None:
    for number in range(40):
        bench.say(note=f"note {number}")
    bench.say(TWO)
    await settle(200)
    assert bench.transport.bodies()[-1]["regarding"]["name"] == "two"


@pytest.mark.promise("S37")
async def test_after_ten_that_are_alike_all_further_ones_are_one_event_that_counts(bench: Bench) -> None:
    """Its note is that of the first that it stands for, since the API lets nobody change a note; client-go's newer
    notes are lost here. Its reason stays what it was.
    """
    for number in range(14):
        bench.say(note=f"note {number}")
    await settle(200)
    assert posted(bench) == [*(f"note {number}" for number in range(10)), f"{COMBINED}note 10"]
    combined = bench.transport.bodies()[10]
    assert (combined["reason"], combined["type"], combined["action"]) == ("ImageMissing", "Warning", "Reconcile")
    assert [body["series"]["count"] for body in bench.transport.bodies()[11:]] == [2, 3, 4]
    name = combined["metadata"]["name"]
    assert {line.rpartition("/")[2] for line in bench.transport.lines()[11:]} == {name}


@pytest.mark.promise("S37")
async def test_words_that_were_said_before_still_count_on_their_own_event(bench: Bench) -> None:
    for number in range(11):
        bench.say(note=f"note {number}")
    bench.say(note="note 3")
    await settle(200)
    assert bench.transport.lines()[-1].endswith("/events/one.0004")


@pytest.mark.promise("S37")
async def test_another_reason_type_or_object_is_not_alike(bench: Bench) -> None:
    for number in range(10):
        bench.say(note=f"note {number}")
    bench.say(note="other reason", reason="Other")
    bench.recorder.record(TWO, "Warning", "ImageMissing", "other object", "Reconcile")
    bench.recorder.record(TWO, "Normal", "ImageMissing", "other type", "Reconcile")
    await settle(200)
    assert posted(bench)[10:] == ["other reason", "other object", "other type"]


@pytest.mark.promise("S37")
async def test_ten_minutes_later_words_stand_for_themselves_again(bench: Bench) -> None:
    for number in range(10):
        bench.say(note=f"note {number}")
    await bench.clock.advance(599)
    bench.say(note="early")
    await bench.clock.advance(1)
    bench.say(note="late")
    await settle()
    assert posted(bench)[10:] == [f"{COMBINED}early", "late"]


@pytest.mark.promise("S37")
async def test_a_combined_note_keeps_the_bound_of_notes(bench: Bench) -> None:
    for number in range(11):
        bench.say(note=f"{number}" + "é" * 1000)
    await settle(200)
    assert posted(bench)[10].startswith(COMBINED)
    assert len(posted(bench)[10].encode()) <= 1024


@pytest.mark.promise("S37")
async def test_what_is_remembered_of_objects_is_bounded(bench: Bench) -> None:
    for number in range(5000):
        bench.say(ObjectReference("example.com/v1", "Widget", "default", "one", f"u{number}"))
        if number % 100 == 0:
            await settle(250)
    await settle(250)
    assert len(bench.transport.requests) == 5000
    assert bench.recorder.remembered == 4096
