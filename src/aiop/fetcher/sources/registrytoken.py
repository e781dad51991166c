"""How a container registry wants to know who asks: Basic, or a token from its authorization server.

https://distribution.github.io/distribution/spec/auth/token/ describes the tokens.
"""

import json
import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from aiop.fetcher.errors import Failed
from aiop.fetcher.sources.web import OK, basic_authorization, get

_CHALLENGE = re.compile(r'(realm|service|scope)="([^"]{1,2048})"')
# Tokens of the large registries have some kilobytes.
_TOKEN_BYTES = 1024 * 1024
_UNAUTHORIZED = 401


class RegistrySession:
    """Asks a registry, answering its challenge once with ``user`` and ``password`` or, if they are empty, as nobody."""

    def __init__(self, session: requests.Session, user: str, password: str) -> None:
        self._session = session
        self._basic = basic_authorization(user, password) if user or password else ""
        self._lock = threading.Lock()
        self._authorization = ""

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """The streamed answer; one of 401 means that the registry does not take what there is."""
        used = self._authorization
        answer = get(self._session, url, headers, used)
        if answer.status_code != _UNAUTHORIZED:
            return answer
        challenge = answer.headers.get("WWW-Authenticate", "")
        with self._lock:
            if self._authorization == used:  # else another stream has renewed it meanwhile
                self._authorization = self._answer(challenge)
            renewed = self._authorization
        if renewed in {"", used}:
            return answer
        answer.close()
        return get(self._session, url, headers, renewed)

    def _answer(self, challenge: str) -> str:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self._basic
        asked = dict(_CHALLENGE.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in asked:
            return ""
        realm = urlsplit(asked.pop("realm"))
        if realm.scheme != "https" or "@" in realm.netloc:
            raise Failed("The registry wants a token from an address that is not https.")
        with get(self._session, f"{realm.geturl()}?{urlencode(asked)}", {}, self._basic) as answer:
            if answer.status_code != OK:
                return ""
            body = answer.raw.read(_TOKEN_BYTES, decode_content=True)
        return _bearer(body)


def _bearer(body: bytes) -> str:
    try:
        data: Any = json.loads(body)
        token = data.get("token") or data.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f"Bearer {token}" if isinstance(token, str) and token else ""
