"""Whether the server serves a kind at all, and who wants to know."""

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

# One 404 may come from a server that is on its way up or down; known objects are given up only at the second in a row.
_BELIEVED_AT = 2


class Availability:
    """``available`` until a 404 is believed, and again once the kind has been listed."""

    def __init__(self, informer: str) -> None:
        self.available = True
        self._informer = informer
        self._absences = 0
        self._callbacks: list[Callable[[bool], None]] = []

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call it with each new value, from now on."""
        self._callbacks.append(callback)

    def reached(self) -> None:
        """The server answered for that kind."""
        self._absences = 0

    def absent(self) -> bool:
        """The server does not know the kind; True the first time in a row."""
        self._absences += 1
        return self._absences == 1

    def gone_for(self, objects: int) -> bool:
        """True once an absence is to be believed where so many objects are known."""
        return self.available and (not objects or self._absences >= _BELIEVED_AT)

    def set(self, available: bool) -> bool:
        """True if that is news; `tell` it once the store agrees."""
        news = available != self.available
        self.available = available
        return news

    def tell(self) -> None:
        """Call everybody; one that raises hurts nobody else."""
        for callback in tuple(self._callbacks):
            try:
                callback(self.available)
            except Exception:  # as with handlers
                log.exception("availability callback failed", informer=self._informer)
