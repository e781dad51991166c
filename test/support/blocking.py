"""A blocking call of the product's inside an event loop fails the test that makes it, whoever swallows the error."""

from collections.abc import Iterator

import blockbuster.blockbuster as detector
import pytest

_seen: list[str] = []


class BlockedTheLoop(detector.BlockingError):
    """Raised when code of `aiop` makes a blocking call while an event loop runs in its thread."""

    def __init__(self, func: str) -> None:
        super().__init__(func)
        _seen.append(func)


@pytest.fixture(scope="session", autouse=True)
def _blocking_calls_raise() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(detector, "BlockingError", BlockedTheLoop)
    with detector.blockbuster_ctx("aiop") as watch:
        for function in watch.functions.values():
            function.can_block_in("structlog/dev.py", {"__call__"})  # shows source lines in a trace, in tests only
            function.can_block_in("client/aside.py", {"run"})  # a thread for what may block, and its loop is nobody's
            function.can_block_in("coverage/collector.py", {"lock_data"})  # it traces, and threads take turns
        yield
    patch.undo()


@pytest.fixture(autouse=True)
def _no_blocking_call() -> Iterator[None]:
    _seen.clear()
    yield
    assert _seen == [], f"blocking calls in the event loop: {_seen}"


def forgiven() -> list[str]:
    """What was seen so far; it no longer fails the test. For the test of this plugin itself."""
    seen = list(_seen)
    _seen.clear()
    return seen
