"""What to do next, list or watch, and how long to wait before: decided here, without I/O, and done by the informer."""

from collections.abc import Callable

from aiop.runtime.client.errors import (
    ApiError,
    BadRequest,
    ClientError,
    ConnectionFailed,
    Expired,
    Invalid,
    NotFound,
    RequestTimedOut,
    ServerError,
    StreamStalled,
    TooManyRequests,
    Unauthorized,
)
from aiop.runtime.informer.errors import WatchListUnsupported
from aiop.runtime.kit.backoff import Backoff, BackoffState

# client-go's reflector: 0.8 s to 30 s with full jitter comes to about 0.22 requests a second while a server is down.
RETRY = Backoff(initial=0.8, factor=2.0, maximum=30.0, jitter=1.0, reset_after=120.0)
# One cheap request each asks whether an API has appeared; nobody should wait longer for one that has.
ABSENT_SECONDS = 30.0
# A watch that ends sooner than this and brought nothing is refused in disguise and must not be repeated at once.
SHORT_WATCH_SECONDS = 1.0
# A watch that was held this long was healthy: what ends it, a proxy's idle time say, begins a new series of failures.
_HEALTHY_SECONDS = 30.0
# A list right after an expiry is fair; a second expiry within this time is a server whose history is too short.
_EXPIRED_AGAIN_SECONDS = 30.0
# A server that fails for longer than a restart takes may have lost its place; then the list is asked for again.
_SERVER_ERROR_SECONDS = 30.0
# In a stream: the server could not read an object that is being deleted unsafely, so its end will not be told.
_STORE_READ_ERROR = "StoreReadError"
# The server is behind the resume point, as after a restore: it may never get there.
_VERSION_TOO_LARGE = "ResourceVersionTooLarge"
# With these the resume point still stands.
_RESUMABLE = (ConnectionFailed, RequestTimedOut, TooManyRequests, Unauthorized)
# What a server says that has no lists by watch: by its validation, by its router, or by the stream itself.
_REFUSALS = (BadRequest, Invalid, WatchListUnsupported)
_REFUSAL_STATUS = frozenset({405, 406, 501})


class Reflector:
    """Feed it what happened; it says whether a list is due and how to ask for it, and each delay in seconds.

    Promised: an expiry leads to a list; a lost connection, a silent one, a 429 or a 401 never does; no failure is
    answered faster than the back-off allows, but for the first expiry in a while and for a watch that fell silent. A
    list is asked for by watch until a server refuses that; then page by page, for good. After a failure the resume
    point has to be confirmed before it is used: a server that was restored from a backup may be behind it, and a watch
    from there would be silent.
    """

    def __init__(self, draw: Callable[[], float], retry: Backoff = RETRY) -> None:
        self.list_due = True
        self.by_watch = True
        self.confirm_due = False
        self._retry = BackoffState(retry, draw)
        self._started: float | None = None
        self._progressed = False
        self._expired: float | None = None
        self._failing_since: float | None = None
        self._absent = False

    def listed(self) -> None:
        """The list is in the store."""
        self.list_due = False
        self.confirm_due = False
        self._progressed = True
        self._failing_since = None

    def confirmed(self) -> None:
        """The server has come as far as the resume point."""
        self.confirm_due = False

    def watching(self, now: float) -> None:
        """A watch begins."""
        self._started = now
        self._progressed = False

    def progressed(self) -> None:
        """The watch moved the resume point."""
        self._progressed = True
        self._failing_since = None

    def ended(self, now: float) -> float:
        """The server ended the watch as it may; the delay before the next."""
        if self._progressed or self._held(SHORT_WATCH_SECONDS, now):
            return 0.0
        return self._retry.next(now)

    def refuses_lists_by_watch(self, error: ClientError) -> bool:
        """True, once, if ``error`` says that this list has to be asked for page by page."""
        if not self.list_due or not self.by_watch:
            return False
        self.by_watch = not (
            isinstance(error, _REFUSALS) or (isinstance(error, ApiError) and error.status in _REFUSAL_STATUS)
        )
        return not self.by_watch

    def failed(self, error: ClientError, now: float) -> float:
        """The list or the watch failed; the delay before the next try."""
        self.confirm_due = True
        if isinstance(error, Expired):
            return self._expire(now)
        if isinstance(error, StreamStalled):
            return self.ended(now)
        if self._held(_HEALTHY_SECONDS, now):
            self._retry.reset()
        self._started = None
        if not self._resumable(error, now):
            self.list_due = True
        absent, self._absent = self._absent, isinstance(error, NotFound)
        if self._absent:
            return min(self._retry.next(now), ABSENT_SECONDS)
        if absent:  # it is being set up: another failure than before, and soon over
            self._retry.reset()
        return max(getattr(error, "retry_after", None) or 0.0, self._retry.next(now))

    def _held(self, seconds: float, now: float) -> bool:
        """True if a watch was under way until now, for so long."""
        return self._started is not None and now - self._started >= seconds

    def _expire(self, now: float) -> float:
        self.list_due = True
        again = self._expired is not None and now - self._expired < _EXPIRED_AGAIN_SECONDS
        self._expired = now
        return self._retry.next(now) if again else 0.0

    def _resumable(self, error: ClientError, now: float) -> bool:
        if isinstance(error, _RESUMABLE):
            return True
        if not isinstance(error, ServerError) or error.reason == _STORE_READ_ERROR or _is_behind(error):
            return False
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since < _SERVER_ERROR_SECONDS


def _is_behind(error: ApiError) -> bool:
    return any(cause.reason == _VERSION_TOO_LARGE for cause in error.causes)
