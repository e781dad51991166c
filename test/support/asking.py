"""One request after the other, for as long as something else happens."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SECONDS = 5.0
# Between two requests; a restart, or a gap in a Service, lasts far longer.
_PAUSE_SECONDS = 0.02
_GOOD = 200


@dataclass
class Asked:
    """What became of the requests."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)


def answer(address: str, host: str, path: str = "/") -> tuple[int, str]:
    """Status and body of one GET at port 80 of ``address``; raises OSError or HTTPException."""
    connection = http.client.HTTPConnection(address, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        said = connection.getresponse()
        return said.status, said.read().decode(errors="replace")
    finally:
        connection.close()


def answers(address: str, host: str, path: str = "/") -> bool:
    """True if it answers with 200."""
    try:
        return answer(address, host, path)[0] == _GOOD
    except (OSError, http.client.HTTPException):
        return False


@contextmanager
def asked_all_through(address: str, host: str, path: str = "/") -> Iterator[Asked]:
    """Each request has a connection of its own, so that none goes on with a server that the Service has let go."""
    asked, over = Asked(), threading.Event()

    def ask() -> None:
        while not over.wait(_PAUSE_SECONDS):
            try:
                status, _ = answer(address, host, path)
            except (OSError, http.client.HTTPException) as error:
                asked.failures.append(repr(error))
                continue
            if status == _GOOD:
                asked.answers += 1
            else:
                asked.failures.append(str(status))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()
