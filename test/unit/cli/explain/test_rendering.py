"""What a reader sees: three lines, whatever a tenant or a container wrote."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiop.api.resources import AIWORKLOADS
from aiop.cli.explain.explanation import Explanation, Finding, Source
from aiop.cli.explain.rendering import in_words, lines_of, wants_colour
from aiop.runtime.client.resource import ObjectKey

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "\x1b[2J\x1b]0;owned\x07pay\r\nnote: all is well\u202e\u2028" + "A" * 100_000


def explanation(cause: Finding | None, *notes: str) -> Explanation:
    key = ObjectKey("team", "bert")
    return Explanation(AIWORKLOADS, key, 1, "HeldBack", cause is None, "1 server", "0 ready", cause=cause, notes=notes)


def finding(**more: object) -> Finding:
    return Finding("CrashLoop", "it ends", Source("Pod", "bert-1", "container server"), **more)  # type: ignore[arg-type]  # the test's own fields


def test_wanted_cause_and_next_are_a_line_each_and_notes_follow() -> None:
    found = finding(next="it starts again", at=NOW + timedelta(seconds=40), fix="Read the log.")
    assert list(lines_of(explanation(found, "the operator is down"), NOW)) == [
        "aiworkload/bert: wanted 1 server; 0 ready",
        "cause: CrashLoop: it ends (pod/bert-1, container server)",
        "next: it starts again at 12:00:40Z (in 40s); read the log",
        "note: the operator is down",
    ]


def test_a_healthy_object_has_three_lines_too() -> None:
    assert list(lines_of(explanation(None), NOW))[1:] == [
        "cause: nothing holds it back",
        "next: nothing: it is as it should be",
    ]


def test_advice_that_the_cause_has_already_is_not_said_twice() -> None:
    found = Finding("OutOfMemory", "used more than 1Gi: raise spec.resources.limits.memory", Source("Pod", "a"))
    twice = Finding(
        found.reason, found.message, found.source, next="it restarts", fix="Raise spec.resources.limits.memory, or …"
    )
    assert list(lines_of(explanation(twice), NOW))[2] == "next: it restarts"


def test_advice_about_a_conditions_message_speaks_of_the_line_above() -> None:
    found = finding(fix="The message is the kubelet's own; do what the message names.")
    shown = "next: the line above is the kubelet's own; do what the line above names"
    assert list(lines_of(explanation(found), NOW))[2] == shown


def test_a_moment_that_is_over_is_any_moment() -> None:
    found = finding(next="it starts again", at=NOW - timedelta(seconds=1))
    assert list(lines_of(explanation(found), NOW))[2] == "next: it starts again any moment"


@pytest.mark.parametrize("field", ["message", "next", "fix"])
def test_text_of_the_cluster_moves_no_cursor_forges_no_line_and_is_bounded(field: str) -> None:
    plain = Finding("CrashLoop", "it ends", Source(HOSTILE, HOSTILE, HOSTILE), numbers={HOSTILE: HOSTILE})
    found = replace(plain, **{field: HOSTILE})  # type: ignore[arg-type]  # each of these fields is a text
    hostile = explanation(found, HOSTILE)
    lines = list(lines_of(hostile, NOW))
    assert len(lines) == 4
    assert all(each.isprintable() and len(each) < 1100 for each in lines)
    texts = [str(each) for each in _texts(hostile.as_json())]
    assert all(each.isprintable() and len(each) <= 1001 for each in texts)


def _texts(value: object) -> list[object]:
    match value:
        case dict():
            return [text for each in (*value, *value.values()) for text in _texts(each)]
        case list():
            return [text for each in value for text in _texts(each)]
        case _:
            return [value]


def test_labels_are_bold_on_a_terminal_unless_told_otherwise() -> None:
    (first, *_) = lines_of(explanation(None), NOW, colour=True)
    assert first.startswith("\x1b[1maiworkload/bert:\x1b[0m wanted")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {})


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0s"), (0.4, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172800, "2d")]
)
def test_durations_are_told_as_kubectl_tells_ages(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
