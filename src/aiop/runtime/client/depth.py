"""JSON that is nested deeper than Python's own limit lets a decoder go."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

# API servers take and store what is nested up to 10,000 levels deep; a list or an event adds three, and our own calls
# come on top. So many levels need less than 2 MiB of a thread's stack, which has 8 MiB where nobody says otherwise.
_LEVELS = 11_000
# The limit is the whole process's: of two threads that raise it, the first to be done must not lower it for the other.
_raising = threading.Lock()


def decode_deep(decode: Callable[[bytes], T], data: bytes) -> T:
    """What ``decode`` makes of ``data``, however deep an API server lets an object be nested.

    Raises what ``decode`` raises; RecursionError only for what no API server stores.
    """
    try:
        return decode(data)
    except RecursionError:
        with _raised_limit():
            return decode(data)


@contextmanager
def _raised_limit() -> Iterator[None]:
    with _raising:
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(max(usual, _LEVELS))
        try:
            yield
        finally:
            sys.setrecursionlimit(usual)
