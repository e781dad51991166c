"""What a log line has, and what it never has. (No line of the contract asks for this; whoever reads the logs does.)"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import structlog

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import Request
from aiop.runtime.controller.controller import Result
from aiop.runtime.controller.errors import TerminalError
from support.clock import settle
from support.controllerbench import ONE, TWO, Bench, Watching, by_label, running
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, deleted, modified, page, widget
from support.loglines import Written, logging_to

SECRET = "s3cr3t-hunter2"


@pytest.fixture
def written() -> Iterator[Written]:
    with logging_to() as written:
        yield written


@pytest.fixture
def readable() -> Iterator[Written]:
    with logging_to(as_json=False) as written:
        yield written


def say(event: str = "told", **values: Any) -> None:
    structlog.get_logger("test").warning(event, **values)


# What a line of a pass has.


async def test_each_line_of_a_pass_says_controller_object_generation_and_trace(written: Written) -> None:
    bench = Watching(ScriptedSource([page(1, widget("one", 1, generation=4))]))

    async def talk() -> Result:
        say("from inside")
        raise TerminalError

    bench.reconciler.then("one", talk)
    async with running_informer(bench.informer), running(bench):
        bench.controller.enqueue(TWO)
        await settle()
    lines = [line for line in written.lines() if "trace" in line]
    assert [line["event"] for line in lines] == ["from inside", "pass failed for good"]
    for line in lines:
        told = {name: line[name] for name in ("controller", "object", "generation", "trace")}
        assert told == {"controller": "widgets", "object": "default/one", "generation": 4, "trace": "trace-1"}


async def test_the_generation_is_that_of_the_pass_and_absent_with_its_object() -> None:
    bench = Watching(ScriptedSource([page(1, widget("one", 1, generation=4))]))
    async with running_informer(bench.informer), running(bench):
        bench.source.say(modified(widget("one", 2, generation=5)))
        await settle()
        bench.source.say(deleted(widget("one", 3, generation=5)))
        await settle()
        bench.controller.enqueue(TWO)
        await settle()
    assert [context.get("generation") for context in bench.reconciler.context] == [4, 5, None, None]
    assert [context["trace"] for context in bench.reconciler.context] == [f"trace-{number}" for number in range(1, 5)]
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_childs_informer_gives_no_generation_to_its_owner() -> None:
    source = ScriptedSource([page(1, widget("one", 1, generation=4, labels={"of": "one"}))])
    bench = Watching(source, mapper=by_label)
    async with running_informer(bench.informer), running(bench):
        pass
    assert [set(context) for context in bench.reconciler.context] == [{"controller", "object", "trace"}]


async def test_a_failure_is_traced_in_the_line_of_its_pass(written: Written) -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", ValueError(f"cannot reach https://user:{SECRET}@host/"))
        bench.controller.enqueue(ONE)
        await settle()
    line = written.only()
    assert (line["event"], line["object"], line["error_type"]) == ("pass failed", "default/one", "ValueError")
    assert line["error"] == "cannot reach https://user:[redacted]@host/"
    assert "Traceback" in line["exception"]
    assert SECRET not in written.text


# What no line has.


@pytest.mark.security(28)
@pytest.mark.parametrize(
    "name",
    ["token", "hf_token", "accessToken", "Authorization", "password", "secret", "client_secret", "cookie", "api_key",
     "apiKey", "private-key", "credentials", "body", "requestBody", "response_body"],
)  # fmt: skip
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"a": SECRET}, 12345678])
def test_what_is_called_a_secret_or_a_body_is_not_shown(written: Written, name: str, value: Any) -> None:
    say(**{name: value}, deep={"list": [{name: value}]})
    line = written.only()
    assert line[name] == "[redacted]"
    assert line["deep"] == {"list": [{name: "[redacted]"}]}


def test_what_is_merely_about_a_secret_is_shown(written: Written) -> None:
    say(secret_name="db", token_count=5, tokens_left=7, has_password=True, token=None, body_bytes=10)
    line = written.only()
    assert (line["secret_name"], line["token_count"], line["tokens_left"], line["body_bytes"]) == ("db", 5, 7, 10)
    assert (line["has_password"], line["token"]) == (True, None)


@pytest.mark.security(28)
@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"sent 'authorization': 'Bearer {SECRET}'",
        f"proxy http://me:{SECRET}@proxy:3128 refused",
        f"https://host/?token={SECRET}&a=b",
        f'{{"password": "{SECRET} and more {SECRET}"}}',
        f"api_key={SECRET}, retry",
        f"got body: {{'data': '{SECRET}'}}",
        f'the "requestBody": {{"a": "{SECRET}"}}',
        f"secret = [1, '{SECRET}']",
    ],
)
def test_secrets_inside_a_text_are_not_shown(written: Written, text: str) -> None:
    say(text, error=text, nested={"why": [text]}, exc_info=ValueError(text))
    logging.getLogger("library").error("it said %s", text)
    assert len(written.lines()) == 2
    assert SECRET not in written.text
    assert written.text.count("[redacted]") >= 5


@pytest.mark.parametrize(
    "text",
    ['secrets "db" not found', "nobody: there", "token expired", "see https://host/a@b", "basic auth is off", "a = b"],
)
def test_a_text_without_secrets_stays_as_it_is(written: Written, text: str) -> None:
    say(text)
    assert written.only()["event"] == text


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (SECRET.encode(), "<14 bytes>"),
        (bytearray(SECRET.encode()), "<14 bytes>"),
        (memoryview(SECRET.encode()), "<14 bytes>"),
        ([SECRET.encode()], ["<14 bytes>"]),
        (Request("POST", "/", body=SECRET.encode()), "<Request>"),
        ({"request": Request("POST", "/", body=SECRET.encode())}, {"request": "<Request>"}),
        (ObjectKey("default", "one"), ["default", "one"]),
        (Colour.RED, "red"),
        (ValueError("why"), "why"),
        (Path("/etc/x"), "/etc/x"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        (1.5, 1.5),
    ],
)
def test_bytes_show_as_their_number_and_objects_as_their_type(written: Written, value: object, shown: object) -> None:
    say(value=value)
    assert written.only()["value"] == shown
    assert SECRET not in written.text


def test_a_long_text_shows_its_beginning_and_its_length(written: Written) -> None:
    say("x" * 5000, error="é" * 3000)
    line = written.only()
    assert line["event"] == "x" * 2048 + "… (5000 characters)"
    assert line["error"] == "é" * 2048 + "… (3000 characters)"


@pytest.mark.security(28)
def test_a_secret_is_found_though_the_cut_goes_through_it(written: Written) -> None:
    say("x" * 2030 + f" https://me:{SECRET * 3}@host/" + "y" * 100)
    assert SECRET[:6] not in written.text


def test_a_long_traceback_shows_both_its_ends(written: Written) -> None:
    say(exc_info=ValueError("a" * 20_000 + " token=" + SECRET + " the end"))
    shown = written.only()["exception"]
    assert shown.startswith("ValueError: aaa")
    assert shown.endswith("the end")
    assert len(shown) < 8300
    assert SECRET not in shown


def test_large_and_deep_collections_are_cut(written: Written) -> None:
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    say(many=list(range(100)), wide={str(number): number for number in range(100)}, deep=deep)
    line = written.only()
    assert line["many"] == [*range(20), "… 80 more"]
    assert len(line["wide"]) == 21
    assert line["wide"]["…"] == "80 more"
    assert line["deep"] == [[[["<list>"]]]]


# One line is one line.

FORGERY = 'fine\n{"level": "error", "event": "forged"}\r\x1b[31m\x85\u2028\u202e'


def test_no_text_forges_a_json_line(written: Written) -> None:
    say(FORGERY, name=FORGERY, nested=[FORGERY], exc_info=ValueError(FORGERY), **{FORGERY: 1})
    assert written.text.count("\n") == 1
    assert written.only()["event"] == FORGERY
    assert not any(character in written.text for character in "\r\x1b\x85\u2028\u202e")


def test_no_text_forges_a_readable_line_or_speaks_to_the_terminal(readable: Written) -> None:
    forged = "fine\n2026-01-01T00:00:00Z [error    ] forged\r\x1b[31m\x85\u2028\u202e"
    say(forged, name=forged, nested=[forged], exc_info=ValueError(forged), **{forged: 1})
    first, *trace = readable.text.rstrip("\n").split("\n")
    assert first.count("forged") == 4
    assert trace
    assert all(line.startswith("  | ") for line in trace)
    assert not any(character in readable.text for character in "\r\x1b\x85\u2028\u202e")


def test_readable_lines_hide_the_same_as_the_others(readable: Written) -> None:
    def fail(word: str) -> None:
        raise ValueError(f"token={word}")

    try:
        fail(SECRET)
    except ValueError:
        structlog.get_logger("test").exception("failed", password=SECRET, raw=SECRET.encode())
    assert "failed" in readable.text
    assert "ValueError: token=[redacted]" in readable.text
    assert SECRET not in readable.text, "neither as a value nor as a variable of the traceback"
