"""Bytes become pages, events and typed errors; nonsense becomes ProtocolError, never a surprise."""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from aiop.runtime.client.codec import ListPage, WatchEvent, decode_event, decode_list, encode, error_from
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


def status(code: int, reason: str = "", message: str = "so it is", **details: object) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    return json.dumps(body | {"reason": reason, "details": details}).encode()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", BadRequest),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (409, "", Conflict),
        (410, "Expired", Expired),
        (410, "Gone", Expired),
        (413, "RequestEntityTooLarge", BadRequest),
        (415, "UnsupportedMediaType", BadRequest),
        (418, "", ApiError),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", TooManyRequests),
        (500, "InternalError", ServerError),
        (503, "ServiceUnavailable", ServerError),
        (504, "Timeout", ServerError),
    ],
)
def test_each_status_has_its_class_with_the_servers_own_words(code: int, reason: str, expected: type[ApiError]) -> None:
    error = error_from(code, status(code, reason))
    assert type(error) is expected
    assert (error.status, error.reason, error.message) == (code, reason, "so it is")


def test_the_faults_of_a_422_are_told_by_field() -> None:
    causes = [
        {"field": "spec.replicas", "reason": "FieldValueInvalid", "message": "must be 0 or more"},
        {"reason": "FieldValueRequired"},
    ]
    error = error_from(422, status(422, "Invalid", causes=causes))
    assert error.causes == (
        Cause("spec.replicas", "FieldValueInvalid", "must be 0 or more"),
        Cause("", "FieldValueRequired", ""),
    )


@pytest.mark.parametrize(
    ("headers", "details", "expected"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({"Retry-After": "7"}, {"retryAfterSeconds": 3}, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "²"}, {}, None),
        ({}, {}, None),
    ],
)
def test_the_wish_to_wait_comes_from_the_header_else_from_the_body(
    headers: Mapping[str, str], details: dict[str, Any], expected: float | None
) -> None:
    assert error_from(429, status(429, "TooManyRequests", **details), headers).retry_after == expected


@pytest.mark.parametrize("code", [404, 500])
def test_a_proxys_error_page_is_recognisable_and_cut_short(code: int) -> None:
    error = error_from(code, b"<html>" + b"x" * 5000)
    assert error.status == code
    assert error.message.startswith("<html>xxx")
    assert len(error.message) == 200


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"text"', b'{"code":"four"}', b"\xff\xfe", b'{"message":"\xff"}']
)
def test_no_body_keeps_the_status_from_becoming_a_typed_error(body: bytes) -> None:
    error = error_from(404, body)
    assert isinstance(error, NotFound)
    assert str(error).startswith("404: ")


def test_an_error_says_status_reason_and_message() -> None:
    assert str(error_from(404, status(404, "NotFound", 'pods "a" not found'))) == '404 NotFound: pods "a" not found'


def test_an_event_gives_its_type_and_the_objects_own_bytes() -> None:
    line = '{"type":"MODIFIED","object":{"metadata":{"name":"prüfung", "n":1.0}}}'.encode()
    assert decode_event(line) == WatchEvent("MODIFIED", '{"metadata":{"name":"prüfung", "n":1.0}}'.encode())


def test_an_error_event_raises_what_its_code_means() -> None:
    line = b'{"type":"ERROR","object":' + status(410, "Expired", "too old resource version: 1 (9)") + b"}"
    with pytest.raises(Expired, match="too old resource version") as caught:
        decode_event(line)
    assert caught.value.status == 410


def test_an_error_event_without_a_status_is_a_server_error() -> None:
    with pytest.raises(ServerError):
        decode_event(b'{"type":"ERROR","object":{}}')


@pytest.mark.parametrize(
    "line", [b"<html>", b"{}", b'{"type":"ADDED"}', b'{"type":1,"object":{}}', b'{"type":"\xff","object":{}}']
)
def test_a_line_that_is_no_event_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a watch event"):
        decode_event(line)


def test_a_page_gives_version_token_and_the_items_own_bytes() -> None:
    body = b'{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"abc"},"items":[{"a": 1},{"b":2}]}'
    assert decode_list(body) == ListPage("7", (b'{"a": 1}', b'{"b":2}'), "abc")


def test_the_items_of_a_page_are_copies_that_do_not_hold_the_page() -> None:
    items = decode_list(b'{"metadata":{},"items":[{"a":1}]}').items
    assert [type(item) for item in items] == [bytes]


@pytest.mark.parametrize("items", [b',"items":null', b',"items":[]'])
def test_an_empty_list_has_no_items(items: bytes) -> None:
    assert decode_list(b'{"metadata":{"resourceVersion":"7"}' + items + b"}") == ListPage("7", (), "")


@pytest.mark.parametrize("kind", ["Table", "Status"])
def test_an_answer_without_items_is_no_empty_list(kind: str) -> None:
    with pytest.raises(ProtocolError, match="items"):
        decode_list(b'{"kind":"%s","metadata":{"resourceVersion":"7"},"rows":[]}' % kind.encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"metadata":{"resourceVersion":"\xff"}}'])
def test_an_answer_that_is_no_list_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a list"):
        decode_list(body)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize("levels", [1_000, 10_000])
def test_an_object_as_deep_as_an_api_server_stores_it_arrives_in_any_thread(levels: int) -> None:
    deep, usual = nested(levels), sys.getrecursionlimit()
    line, page = b'{"type":"ADDED","object":%b}' % deep, b'{"metadata":{},"items":[%b]}' % deep
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(decode_event, line).result() == WatchEvent("ADDED", deep)
    assert decode_event(line) == WatchEvent("ADDED", deep)
    assert decode_list(page).items == (deep,)
    assert sys.getrecursionlimit() == usual


def test_what_is_nested_deeper_than_any_api_server_stores_is_a_protocol_error() -> None:
    deep, usual = nested(30_000), sys.getrecursionlimit()
    with pytest.raises(ProtocolError, match="not a watch event"):
        decode_event(b'{"type":"ADDED","object":%b}' % deep)
    with pytest.raises(ProtocolError, match="not a list"):
        decode_list(b'{"metadata":{},"items":[%b]}' % deep)
    assert isinstance(error_from(400, b'{"details":{"a":%b}}' % deep), BadRequest)
    assert sys.getrecursionlimit() == usual


def test_bodies_are_encoded_once_and_bytes_not_at_all() -> None:
    class Named(msgspec.Struct):
        name: str

    assert encode(b'{"a": 1}') == b'{"a": 1}'
    assert encode({"a": 1}) == b'{"a":1}'
    assert encode(Named("x")) == b'{"name":"x"}'
