"""etcd itself, by its JSON gateway: objects by the ten thousand, without the API server's work for each."""

import base64
import http.client
import itertools
import json
import queue
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

# etcd's own limit on the operations of one transaction.
_BATCH = 128
_SECONDS = 60.0
_THREADS = 4


class Etcd:
    """The store of a control plane, at ``url``. Custom objects are kept there as JSON."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Store each object under its key (without the leading /registry/)."""
        left = iter(objects)
        while batch := list(itertools.islice(left, _BATCH)):
            puts = [
                {"requestPut": {"key": _key(key), "value": _text(json.dumps(value, separators=(",", ":")))}}
                for key, value in batch
            ]
            self._call("/v3/kv/txn", {"success": puts})

    def delete(self, keys: Iterable[str]) -> None:
        """Delete each by itself, as fast as it goes: a watcher may rely on each event having a version of its own."""
        left = queue.SimpleQueue[str]()
        for key in (*keys, *[""] * _THREADS):
            left.put(key)
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self._delete, [left] * _THREADS))

    def _delete(self, left: "queue.SimpleQueue[str]") -> None:
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=_SECONDS)
        try:
            for key in iter(left.get, ""):
                body = json.dumps({"key": _key(key)})
                connection.request("POST", "/v3/kv/deleterange", body)
                answer = connection.getresponse()
                assert answer.status == http.HTTPStatus.OK, answer.read()
                answer.read()
        finally:
            connection.close()

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self._url + path, data=json.dumps(body).encode())  # noqa: S310 - http, loopback
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http on loopback
            said: dict[str, Any] = json.load(answer)
            return said


def _key(key: str) -> str:
    return _text(f"/registry/{key}")


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
