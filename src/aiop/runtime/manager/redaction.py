"""What a log line may show: no body, no secret, no more than a line holds, and nothing that forges another line.

Names decide first: what is called a token or a body is not shown at all. Text is searched for what gives secrets away
(a password in a URL, a bearer token, `password=…`), bytes show as their number, and objects as their type, since what
they would say of themselves is not known here. Not promised: that a secret is found which is called by no such name.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
# Container runtimes cut lines at 16 KiB, and half a line is no JSON: a line is some values and at most one traceback.
_TEXT_CHARACTERS = 2048
_TRACE_CHARACTERS = 8192
# What a person reads of a list; the rest is said as a number.
_ITEMS = 20
_DEPTH = 4

# The end of a name says what it holds: `access_token` and `requestBody` do, `token_count` and `secret_name` do not.
_TELLING = re.compile(
    r"(?:authorization|api[-_]?key|body|bodies|cookie|credential|passwd|password|private[-_]?key|secret|token)s?$",
    re.IGNORECASE,
)
# The whole of what follows such a name, to the end of the line where it is no single word.
_SECRETS_IN_TEXT = (
    (re.compile(r"(://[^\s/@:]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    (re.compile(r"\b(bearer|basic) +[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"""((?:(?<![A-Za-z])(?i:body)|(?<=[a-z])Body)["']? ?[:=] ?)\S.*"""), rf"\1{REDACTED}"),
    (
        re.compile(
            r"""((?:authorization|api[-_]?key|cookie|credential|passwd|password|private[-_]?key|secret|token)s?"""
            r"""["']? ?[:=] ?)(?:[{\[].*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&]+)""",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)
# C0 and C1 controls, line and paragraph separators, and marks that turn the direction of what follows.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TRACES = frozenset({"exception", "stack"})


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the line as it may be shown. Tracebacks have to be text by now."""
    return {name: _trace(value) if name in _TRACES else _value(name, value, _DEPTH) for name, value in event.items()}


def on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor for readable lines: controls become visible; a traceback's lines stand behind a bar."""
    return {_visible(name): _barred(value) if name in _TRACES else _flat(value) for name, value in event.items()}


def _value(name: str, value: object, depth: int) -> object:
    """A value under its name; that there is none, or a yes or no, may be known of a secret too."""
    if value is not None and not isinstance(value, bool) and _TELLING.search(name):
        return REDACTED
    return _content(value, depth)


def _content(value: object, depth: int) -> object:
    """What is shown of a value whose name is harmless."""
    match value:
        case None | bool() | int() | float():
            shown: object = value
        case str() | BaseException() | date() | PurePath():
            shown = _text(str(value))
        case bytes() | bytearray() | memoryview():
            shown = f"<{memoryview(value).nbytes} bytes>"
        case Enum():
            shown = _content(value.value, depth)
        case Mapping() if depth:
            shown = _mapping(value, depth)
        case list() | tuple() | set() | frozenset() if depth:
            shown = _items(value, depth)
        case _:
            shown = f"<{type(value).__name__}>"
    return shown


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, object]:
    shown = {_text(str(name)): _value(str(name), each, depth - 1) for name, each in [*value.items()][:_ITEMS]}
    return shown | ({"…": f"{len(value) - _ITEMS} more"} if len(value) > _ITEMS else {})


def _items(value: Collection[Any], depth: int) -> list[object]:
    shown = [_content(each, depth - 1) for each in [*value][:_ITEMS]]
    return [*shown, f"… {len(value) - _ITEMS} more"] if len(value) > _ITEMS else shown


def _text(text: str) -> str:
    """Its beginning. Twice as much is searched, so that no secret escapes by being cut."""
    if len(text) <= _TEXT_CHARACTERS:
        return _without_secrets(text)
    return f"{_without_secrets(text[: 2 * _TEXT_CHARACTERS])[:_TEXT_CHARACTERS]}… ({len(text)} characters)"


def _trace(value: object) -> str:
    """Its first and its last half: where it came from, and what it was."""
    text = str(value)
    half = _TRACE_CHARACTERS // 2
    if len(text) <= _TRACE_CHARACTERS:
        return _without_secrets(text)
    first, last = (_without_secrets(each) for each in (text[: 2 * half], text[-2 * half :]))
    return f"{first[:half]}\n… ({len(text)} characters) …\n{last[-half:]}"


def _without_secrets(text: str) -> str:
    for pattern, instead in _SECRETS_IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def _barred(trace: object) -> str:
    return "\n".join(f"  | {_visible(line)}" for line in str(trace).split("\n"))


def _flat(value: object) -> object:
    """Text without controls; what is no text is shown by its repr, which has none."""
    return _visible(value) if isinstance(value, str) else value


def _visible(text: str) -> str:
    return _CONTROLS.sub(lambda match: match.group().encode("unicode_escape").decode(), text)
