import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from aiop.runtime.manager.logging import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_in_utc_level_and_logger() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.get_logger("aiop.some.module").info("widget made", name="one")
    (line,) = lines(stream)
    timestamp = line.pop("timestamp")
    assert timestamp.endswith("Z")
    assert line == {"event": "widget made", "level": "info", "logger": "aiop.some.module", "name": "one"}


def test_what_is_bound_to_a_pass_is_in_each_of_its_lines() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    with structlog.contextvars.bound_contextvars(controller="widgets", object="default/one", trace="t1"):
        structlog.get_logger("a").warning("careful")
    (line,) = lines(stream)
    assert (line["controller"], line["object"], line["trace"]) == ("widgets", "default/one", "t1")


def test_an_exception_stays_on_one_line() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.get_logger("a").error("failed", exc_info=ValueError("first\nsecond"))
    (line,) = lines(stream)
    assert "ValueError: first\nsecond" in line["exception"]


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    configure_logging(level="warning", stream=stream)
    structlog.get_logger("a").info("too quiet")
    assert stream.getvalue() == ""


def test_libraries_speak_in_the_same_format_and_only_of_trouble() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    logging.getLogger("aiohttp.client").info("connected")
    logging.getLogger("aiohttp.client").error("cannot %s", "connect")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("cannot connect", "error", "aiohttp.client")


def test_a_person_gets_readable_lines() -> None:
    stream = io.StringIO()
    configure_logging(as_json=False, stream=stream)
    structlog.get_logger("a").info("widget made", name="one")
    assert "widget made" in stream.getvalue()
    assert "name" in stream.getvalue()
