import logging

import structlog

from support.loglines import logging_to


def test_a_line_is_json_with_time_in_utc_level_and_logger() -> None:
    with logging_to() as written:
        structlog.get_logger("aiop.some.module").info("widget made", name="one")
    line = written.only()
    timestamp = line.pop("timestamp")
    assert timestamp.endswith("Z")
    assert line == {"event": "widget made", "level": "info", "logger": "aiop.some.module", "name": "one"}


def test_what_is_bound_to_a_pass_is_in_each_of_its_lines() -> None:
    with (
        logging_to() as written,
        structlog.contextvars.bound_contextvars(controller="widgets", object="default/one", trace="t1"),
    ):
        structlog.get_logger("a").warning("careful")
    line = written.only()
    assert (line["controller"], line["object"], line["trace"]) == ("widgets", "default/one", "t1")


def test_an_exception_stays_on_one_line() -> None:
    with logging_to() as written:
        structlog.get_logger("a").error("failed", exc_info=ValueError("first\nsecond"))
    assert "ValueError: first\nsecond" in written.only()["exception"]


def test_what_is_below_the_level_is_not_written() -> None:
    with logging_to(level="warning") as written:
        structlog.get_logger("a").info("too quiet")
    assert written.text == ""


def test_libraries_speak_in_the_same_format_and_only_of_trouble() -> None:
    with logging_to() as written:
        logging.getLogger("aiohttp.client").info("connected")
        logging.getLogger("aiohttp.client").error("cannot %s", "connect")
    line = written.only()
    assert (line["event"], line["level"], line["logger"]) == ("cannot connect", "error", "aiohttp.client")


def test_a_person_gets_readable_lines() -> None:
    with logging_to(as_json=False) as written:
        structlog.get_logger("a").info("widget made", name="one")
    assert "widget made" in written.text
    assert "name=one" in written.text
