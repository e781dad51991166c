"""https:// through requests: one file, or an archive that is unpacked.

Redirects are followed by hand: only to https, and credentials go to the host that the URI names and to no other. A
server that says no size is read up to the limit.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import requests

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed, SourceChanged
from aiop.fetcher.listing import RemoteFile, single
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.refusals import refusal
from aiop.fetcher.sources.web import (
    OK,
    PARTIAL,
    RANGE_NOT_SATISFIABLE,
    basic_authorization,
    check_part,
    get,
    pour,
    quiet_session,
    reaching,
    span,
    total_of,
)
from aiop.fetcher.uri import HttpsUri

_KEYS = "HTTPS_AUTHORIZATION, or HTTPS_USERNAME and HTTPS_PASSWORD"
_REPR_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]{40,48}):")


def open_source(uri: HttpsUri, environment: Mapping[str, str]) -> "HttpsSource":
    """The file of ``uri``."""
    return HttpsSource(uri, authorization(environment))


def authorization(environment: Mapping[str, str]) -> str:
    """The Authorization header's value; empty if there are no credentials."""
    user, password = value_of(environment, "HTTPS_USERNAME"), value_of(environment, "HTTPS_PASSWORD")
    basic = basic_authorization(user, password) if user or password else ""
    return value_of(environment, "HTTPS_AUTHORIZATION") or basic


class HttpsSource:
    """The one file at a URL."""

    def __init__(self, uri: HttpsUri, authorization: str) -> None:
        self._uri, self._authorization = uri, authorization
        self._what = f"{urlsplit(uri.url).hostname}'s {uri.name}"
        self._session = quiet_session()

    def files(self) -> Iterator[RemoteFile]:
        """The file, as an answer to a request for its first byte describes it."""
        with reaching(self._what), self._get({"Range": span(0, 1), "Want-Repr-Digest": "sha-256=10"}) as answer:
            empty = answer.status_code == RANGE_NOT_SATISFIABLE and total_of(answer) == 0
            if answer.status_code not in {OK, PARTIAL} and not empty:
                raise self._refusal(answer)
            page = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
            if page and not self._uri.name.endswith((".html", ".htm")):
                raise Failed(f"{self._what} is a web page, not a file; use the address of the file itself.")
            size = total_of(answer)
            yield single(
                RemoteFile(
                    name=self._uri.name,
                    key=self._uri.name,
                    size=size,
                    version=_version(answer),
                    digest=_digest(answer),
                    ranged=answer.status_code == PARTIAL and size is not None,
                )
            )

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The bytes, if the answer has the validators that were listed."""
        headers = {"Range": span(start, stop)} if file.ranged else {}
        with reaching(self._what), self._get(headers) as answer:
            if answer.status_code not in {OK, PARTIAL}:
                raise self._refusal(answer)
            if _version(answer) != file.version or total_of(answer) not in {None, file.size}:
                raise SourceChanged(f"{self._what} has changed since it was measured.")
            check_part(answer, file, start, stop)
            pour(answer, sink)

    def _get(self, headers: Mapping[str, str]) -> requests.Response:
        return get(self._session, self._uri.url, headers, self._authorization)

    def _refusal(self, answer: requests.Response) -> Exception:
        return refusal(answer.status_code, what=self._what, keys=_KEYS, given=bool(self._authorization))


def _version(answer: requests.Response) -> str:
    """The strongest validator that the server gives."""
    return answer.headers.get("ETag", "") or answer.headers.get("Last-Modified", "")


def _digest(answer: requests.Response) -> str:
    """The whole file's digest as RFC 9530 has it; empty if the server says none."""
    found = _REPR_DIGEST.search(answer.headers.get("Repr-Digest", ""))
    try:
        return f"sha256:{base64.b64decode(found.group(1), validate=True).hex()}" if found else ""
    except (binascii.Error, ValueError):
        return ""
