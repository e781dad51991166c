"""People who ask a served model for something all the while: how often they were answered, and how often not."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SECONDS = 10.0


@dataclass(slots=True)
class Visits:
    """What the visitors saw so far."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def visitors(url: str, *, host: str = "", count: int = 2, pause: float = 0.05) -> Iterator[Visits]:
    """So many visitors, each of whom asks ``url`` again ``pause`` seconds after an answer, on a new connection."""
    seen, over, lock = Visits(), threading.Event(), threading.Lock()

    def visit() -> None:
        while not over.wait(pause):
            fault = _fault(url, host)
            with lock:
                seen.answered += not fault
                seen.failed += [fault] if fault else []

    threads = [threading.Thread(target=visit) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _fault(url: str, host: str) -> str:
    """Why a request failed; empty if it did not."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 - http, of the test's own
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            answer.read()
    except OSError as error:
        return repr(error)
    return ""
