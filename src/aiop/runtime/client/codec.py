"""Bytes to structs and back, and failures to typed errors."""

from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import msgspec

from aiop.runtime.client.depth import decode_deep
from aiop.runtime.client.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ProtocolError,
    ServerError,
    TooManyRequests,
    Unauthorized,
)

Body = bytes | Mapping[str, object] | msgspec.Struct

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: BadRequest,
    415: BadRequest,
    422: Invalid,
    429: TooManyRequests,
}
_SERVER_ERRORS = 500
# A patch for a namesake of another UID is called invalid, as if somebody tried to change the UID; a conflict is meant.
_UID = "metadata.uid"
# What is kept of an answer that is no Status object: enough to recognise a proxy's error page.
_SHOWN_BYTES = 200
# msgspec lets two faults pass as Python's own errors: a string that is not UTF-8, and what is nested too deep.
NONSENSE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class ListPage(NamedTuple):
    """One page of a list; each item is the JSON of one object, in a buffer of its own."""

    resource_version: str
    items: tuple[bytes, ...]
    continue_token: str


class WatchEvent(NamedTuple):
    """One event of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object's JSON."""

    type: str
    object: bytes


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None  # null is an empty list; a Table or a Status has none at all


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _StatusCause(msgspec.Struct):
    field: str = ""
    reason: str = ""
    message: str = ""


class _StatusDetails(msgspec.Struct, rename="camel"):
    causes: list[_StatusCause] | None = None
    retry_after_seconds: int = 0


class _Status(msgspec.Struct):
    reason: str = ""
    message: str = ""
    code: int = 0
    details: _StatusDetails | None = None


_list_decoder = msgspec.json.Decoder(_List)
_event_decoder = msgspec.json.Decoder(_Event)
_status_decoder = msgspec.json.Decoder(_Status)
_encoder = msgspec.json.Encoder()


def encode(body: object) -> bytes:
    """``body`` as JSON; bytes go through as they are."""
    return body if isinstance(body, bytes) else _encoder.encode(body)


def decode_list(data: bytes) -> ListPage:
    """A page of a list; raises ProtocolError if it is none. Items are copied out, so that no page lingers.

    How deep an item is nested is no fault of the page's.
    """
    try:
        page = decode_deep(_list_decoder.decode, data)
    except NONSENSE as error:
        message = f"not a list: {error}"
        raise ProtocolError(message) from error
    items = tuple(bytes(item) for item in page.items or ())
    return ListPage(page.metadata.resource_version, items, page.metadata.continue_)


def decode_event(line: bytes) -> WatchEvent:
    """An event of a watch; raises the mapped ApiError for an ERROR event and ProtocolError for nonsense.

    How deep the object is nested is no fault of the event's.
    """
    try:
        event = decode_deep(_event_decoder.decode, line)
    except NONSENSE as error:
        message = f"not a watch event: {error}"
        raise ProtocolError(message) from error
    if event.type == "ERROR":
        raise error_from(0, bytes(event.object))
    return WatchEvent(event.type, bytes(event.object))


def error_from(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> ApiError:
    """The typed error for an answer; ``status`` 0 means that the body's own code counts."""
    try:
        told = decode_deep(_status_decoder.decode, body)
    except NONSENSE:
        told = _Status(message=body[:_SHOWN_BYTES].decode(errors="replace").strip())
    code = status or told.code or _SERVER_ERRORS
    details = told.details or _StatusDetails()
    causes = tuple(Cause(cause.field, cause.reason, cause.message) for cause in details.causes or ())
    is_another = bool(causes) and all(cause.field == _UID for cause in causes)
    return (Conflict if is_another else _class_of(code, told.reason))(
        code,
        told.reason,
        told.message,
        causes=causes,
        retry_after=_retry_after(headers or {}, details),
    )


def _class_of(code: int, reason: str) -> type[ApiError]:
    if reason == "AlreadyExists":
        return AlreadyExists
    if reason in {"Expired", "Gone"}:
        return Expired
    if code >= _SERVER_ERRORS:
        return ServerError
    return _BY_STATUS.get(code, ApiError)


def _retry_after(headers: Mapping[str, str], details: _StatusDetails) -> float | None:
    header = headers.get("Retry-After", "")
    if header.isdecimal():
        return float(header)
    with suppress(ValueError, TypeError):  # a moment, by the server's own clock
        moment, now = parsedate_to_datetime(header), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (moment - now).total_seconds())
    return float(details.retry_after_seconds) if details.retry_after_seconds else None
