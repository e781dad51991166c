"""etcd itself, by its JSON gateway: objects by the ten thousand, without the API server's work for each."""

import base64
import itertools
import json
import urllib.request
from collections.abc import Iterable
from typing import Any

# etcd's own limit on the operations of one transaction.
_BATCH = 128
_SECONDS = 60.0


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

    def delete(self, first: str, end: str) -> int:
        """Delete all keys from ``first`` up to ``end``, exclusive, at one moment; how many there were."""
        answer = self._call("/v3/kv/deleterange", {"key": _key(first), "range_end": _key(end)})
        return int(answer.get("deleted", 0))

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self._url + path, data=json.dumps(body).encode())  # noqa: S310 - http, loopback
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http on loopback
            said: dict[str, Any] = json.load(answer)
            return said


def _key(key: str) -> str:
    return _text(f"/registry/{key}")


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
