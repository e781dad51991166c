"""Whether the server serves a kind at all, and who wants to know."""

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

# A 404 may come from a server that is on its way up or down, or from a proxy that is mistaken for a while. Known
# objects are given up only when nothing else came for this long; those of a deleted definition are told before.
_BELIEVED_SECONDS = 30.0


class Availability:
    """``available`` until a 404 is believed, and again once the kind has been listed."""

    def __init__(self, informer: str) -> None:
        self.available = True
        self._informer = informer
        self._absent_since: float | None = None
        self._callbacks: list[Callable[[bool], None]] = []

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call it with each new value, from now on."""
        self._callbacks.append(callback)

    def reached(self) -> None:
        """The server answered for that kind."""
        self._absent_since = None

    def absent(self, now: float) -> bool:
        """The server does not know the kind; True the first time in a row."""
        first = self._absent_since is None
        if first:
            self._absent_since = now
        return first

    def gone_for(self, objects: int, now: float) -> bool:
        """True once an absence is to be believed where so many objects are known."""
        lasts = self._absent_since is not None and now - self._absent_since >= _BELIEVED_SECONDS
        return self.available and (not objects or lasts)

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
