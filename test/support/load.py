"""Requests at a steady rate from many callers, each failure kept with what it said."""

import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 10.0
# More than are ever under way at once, so that slow answers do not make fewer requests.
_CALLERS = 24


class Load:
    """POSTs of one body to ``url`` under the name ``host``, ``rate`` a second, from entering until leaving.

    It ends by itself after ``most`` requests. Every caller keeps its connection, as clients do, and none asks again:
    whatever is not answered with 200 is a failure.
    """

    def __init__(self, url: str, host: str, body: Mapping[str, Any], *, rate: float = 120.0, most: int = 24000) -> None:
        self._address = urlsplit(url)
        self._body, self._most, self._interval = json.dumps(body), most, 1 / rate
        self._headers = {"Host": host, "Content-Type": "application/json"}
        self._numbers, self._lock, self._ended = itertools.count(), threading.Lock(), threading.Event()
        self._callers = [threading.Thread(target=self._call, daemon=True) for _ in range(_CALLERS)]
        self._started = self._stopped = 0.0
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    @property
    def count(self) -> int:
        """How many requests have ended, well or not."""
        with self._lock:
            return self.answers.total() + len(self.failures)

    @property
    def rate(self) -> float:
        """Requests a second that were really made."""
        return self.count / ((self._stopped or time.monotonic()) - self._started)

    @property
    def told(self) -> str:
        """Count, rate and failures, for a person."""
        kinds = "; ".join(f"{number} x {text}" for text, number in Counter(self.failures).most_common(10))
        return f"{self.count} requests, {self.rate:.0f} a second, {len(self.failures)} failed {kinds}".rstrip()

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for caller in self._callers:
            caller.join()
        self._stopped = time.monotonic()
        sys.stdout.write(f"{self.told}\n")

    def _call(self) -> None:
        connection = self._connected()
        while not self._ended.is_set() and (number := next(self._numbers)) < self._most:
            self._ended.wait(max(0.0, self._started + number * self._interval - time.monotonic()))
            connection = self._asked(connection)
        connection.close()

    def _asked(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        """One request; the connection for the next one."""
        try:
            connection.request("POST", self._address.path, self._body, self._headers)
            answer = connection.getresponse()
            content = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self._note_failure(f"{type(error).__name__}: {error}")
            connection.close()
            return self._connected()
        if answer.status == http.client.OK:
            with self._lock:
                self.answers[content] += 1
        else:
            self._note_failure(f"{answer.status} {content[:200].strip()}")
        return connection

    def _note_failure(self, text: str) -> None:
        with self._lock:
            self.failures.append(text)

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            self._address.hostname or "", self._address.port or 80, timeout=_TIMEOUT_SECONDS
        )
