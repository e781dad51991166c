"""Structured logs: one JSON object a line on stderr, or readable lines for a person. Never a body, never a Secret.

Each line says when (UTC), how grave, which logger, and what is bound to the pass: controller, object, trace.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# What libraries have to say below this is about their own insides.
_LIBRARY_LEVEL = logging.WARNING
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


class _NamedLogger(structlog.WriteLogger):
    """Writes lines, and knows what module they come from."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file)
        self.name = name


def configure_logging(*, level: str = "info", as_json: bool = True, stream: TextIO | None = None) -> None:
    """Set up structlog, and through it the libraries' loggers, for the whole process."""
    file = stream or sys.stderr
    renderers = _renderers(as_json=as_json)
    structlog.configure(
        processors=[*_SHARED, _add_logger_name, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *names: _NamedLogger(file, str(names[0]) if names else ""),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(file)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=_LIBRARY_LEVEL, handlers=[handler], force=True)


def _renderers(*, as_json: bool) -> tuple[Processor, ...]:
    if not as_json:
        return (structlog.dev.ConsoleRenderer(),)
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())


def _add_logger_name(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if logger.name:
        event["logger"] = logger.name
    return event
