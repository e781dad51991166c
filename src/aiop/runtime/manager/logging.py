"""Structured logs: one JSON object a line on stderr, or readable lines for a person. Never a body, never a Secret.

Each line says when (UTC), how grave, which logger, and what is bound to the pass: controller, object, trace, and the
object's generation while there is one. What tenants wrote cannot make it look like two lines. Libraries' lines go the
same way.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from aiop.runtime.manager.redaction import on_one_line, redact

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
    renderers = _renderers(as_json=as_json, colors=file.isatty())
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


def _renderers(*, as_json: bool, colors: bool) -> tuple[Processor, ...]:
    """Tracebacks become text first (without the values of variables), so that they are redacted like the rest."""
    guarded: tuple[Processor, ...] = (structlog.processors.format_exc_info, redact)
    if as_json:
        return (*guarded, structlog.processors.JSONRenderer())
    return (*guarded, on_one_line, structlog.dev.ConsoleRenderer(colors=colors))


def _add_logger_name(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if logger.name:
        event["logger"] = logger.name
    return event
