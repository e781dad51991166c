"""The process's logging, set up for one test and put back."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from aiop.runtime.manager.logging import configure_logging


class Written:
    """What was logged."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def only(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


@contextmanager
def logging_to(*, level: str = "info", as_json: bool = True) -> Iterator[Written]:
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    written = Written()
    configure_logging(level=level, as_json=as_json, stream=written.stream)
    structlog.configure(cache_logger_on_first_use=False)  # or a module's logger would speak to this test for ever
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(before)
