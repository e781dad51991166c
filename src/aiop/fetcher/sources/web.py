"""What the sources that speak plain HTTP through requests have in common."""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from aiop.fetcher.errors import Failed, RangeRefused
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.refusals import unreachable

OK, PARTIAL, RANGE_NOT_SATISFIABLE = 200, 206, 416
# Connecting, and between two pieces.
SECONDS = (10, 60)
# Some of them are on the way in each stream.
_CHUNK = 256 * 1024
# Honest servers need one or two.
_MOST_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_TOTAL = re.compile(r"bytes (?:\d{1,18}-\d{1,18}|\*)/(\d{1,18})")


class Authorization(AuthBase):
    """Sends ``value`` as the Authorization header, or none if it is empty: never what a .netrc says."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """What requests asks for."""
        request.headers.pop("Authorization", None)
        if self._value:
            request.headers["Authorization"] = self._value
        return request


def basic_authorization(user: str, password: str) -> str:
    """The header's value for a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def quiet_session() -> requests.Session:
    """A session that keeps no cookies and asks for bytes as they are."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept-Encoding"] = "identity"
    return session


def get(session: requests.Session, url: str, headers: Mapping[str, str], authorization: str) -> requests.Response:
    """The streamed answer for ``url``, redirects followed; ``authorization`` goes to the origin of ``url`` alone.

    Raises Failed for a redirect to anything but https, to an address with a user name, or for too many.
    """
    target = url
    for _ in range(_MOST_REDIRECTS):
        given = Authorization(authorization if same_origin(target, url) else "")
        answer = session.get(
            target, headers=dict(headers), auth=given, allow_redirects=False, stream=True, timeout=SECONDS
        )
        if answer.status_code not in _REDIRECTS:
            return answer
        answer.close()
        target = redirect_target(target, answer.headers.get("Location", ""))
    raise Failed(f"The server redirects more than {_MOST_REDIRECTS} times; use the final address.")


def redirect_target(url: str, location: str) -> str:
    """Where an answer of ``url`` sends us; raises Failed unless that is https and names no user."""
    target = urljoin(url, location)
    parts = urlsplit(target)
    if not location or parts.scheme != "https" or not parts.hostname:
        raise Failed("The server redirects to something that is not https; use the final address.")
    if "@" in parts.netloc:
        raise Failed("The server redirects to an address with a user name; use the final address.")
    return target


def same_origin(one: str, other: str) -> bool:
    """Whether two https URLs have the same host and port."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.hostname, first.port or 443) == (second.hostname, second.port or 443)


def span(start: int, stop: int | None) -> str:
    """The Range header for bytes from ``start`` up to ``stop``."""
    return f"bytes={start}-{'' if stop is None else stop - 1}"


def total_of(response: requests.Response) -> int | None:
    """The whole file's size as Content-Range or Content-Length says it; None if neither does."""
    found = _TOTAL.fullmatch(response.headers.get("Content-Range", ""))
    if found:
        return int(found.group(1))
    length = response.headers.get("Content-Length", "")
    return int(length) if response.status_code == OK and length.isdigit() else None


def check_part(response: requests.Response, file: RemoteFile, start: int, stop: int | None) -> None:
    """Raise RangeRefused if the answer is all of the file though a part was asked for."""
    whole = start == 0 and (stop is None or stop == file.size)
    if response.status_code == OK and not whole:
        raise RangeRefused("The server sends whole files only.")


def pour(response: requests.Response, sink: Sink) -> None:
    """Give the body to ``sink`` as it comes, not decoded."""
    for piece in response.raw.stream(_CHUNK, decode_content=False):
        sink(piece)


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turns the ways in which no answer comes into Interrupted or Unreachable."""
    try:
        yield
    except (requests.RequestException, HTTPError) as error:
        raise unreachable(error, what=what) from error
