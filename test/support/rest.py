"""The real API server, spoken to by hand from tests without an event loop: quick enough for hundreds of changes."""

import http.client
import json
import ssl
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from support.controlplane import Cluster
from support.raw_api import MERGE_PATCH, Answer

_SECONDS = 60.0


class Rest:
    """An administrator's calls on one connection, which is made anew when it was lost; a context manager."""

    def __init__(self, cluster: Cluster) -> None:
        url, authority, token = cluster.credentials
        self._host = urlsplit(url).netloc
        self._trust = ssl.create_default_context(cafile=authority or None)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._connection: http.client.HTTPSConnection | None = None

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """One exchange, whatever its status; a connection that was lost is made anew once."""
        try:
            return self._exchange(method, path, body, content_type)
        except (OSError, http.client.HTTPException):
            self.close()
            return self._exchange(method, path, body, content_type)

    def get(self, path: str) -> Any:
        """What is there; fails the test if nothing is."""
        return self._done(self.call("GET", path))

    def items(self, path: str) -> list[Any]:
        """The items of a list."""
        found: list[Any] = self.get(path)["items"]
        return found

    def create(self, path: str, body: Any) -> Any:
        """POST."""
        return self._done(self.call("POST", path, body))

    def merge(self, path: str, body: Any) -> Any:
        """A merge patch."""
        return self._done(self.call("PATCH", path, body, MERGE_PATCH))

    def delete(self, path: str) -> Any:
        """DELETE, of one object or of a collection."""
        return self._done(self.call("DELETE", path))

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, method: str, path: str, body: Any, content_type: str) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(self._host, context=self._trust, timeout=_SECONDS)
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, self._headers | ({"Content-Type": content_type} if data else {}))
        answer = self._connection.getresponse()
        raw = answer.read()
        return Answer(answer.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode(errors="replace"))

    @staticmethod
    def _done(answer: Answer) -> Any:
        assert answer.status < 300, answer.body
        return answer.body
