"""What comes after what: decided without I/O."""

import pytest

from aiop.runtime.client.errors import (
    ClientError,
    ConnectionFailed,
    Expired,
    Forbidden,
    ProtocolError,
    RequestTimedOut,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from aiop.runtime.informer.reflector import RETRY, Reflector


def reflector() -> Reflector:
    """One that has listed, without jitter."""
    made = Reflector(lambda: 0.0)
    made.listed()
    return made


def test_it_begins_with_a_list() -> None:
    assert Reflector(lambda: 0.0).list_due


@pytest.mark.parametrize(
    "error",
    [ConnectionFailed("refused"), RequestTimedOut("idle"), TooManyRequests(429), Unauthorized(401), ServerError(503)],
)
def test_a_passing_failure_backs_off_and_never_lists(error: ClientError) -> None:
    one = reflector()
    assert one.failed(error, 0.0) == RETRY.initial
    assert not one.list_due


@pytest.mark.parametrize("error", [Forbidden(403), ProtocolError("nonsense"), ServerError(500, "StoreReadError")])
def test_a_failure_that_may_hide_events_backs_off_and_lists(error: ClientError) -> None:
    one = reflector()
    assert one.failed(error, 0.0) == RETRY.initial
    assert one.list_due


def test_progress_between_two_server_errors_counts_from_anew() -> None:
    one = reflector()
    one.failed(ServerError(500), 0.0)
    one.watching(10.0)
    one.progressed()
    one.failed(ServerError(500), 60.0)
    assert not one.list_due


def test_the_first_expiry_lists_at_once() -> None:
    one = reflector()
    assert one.failed(Expired(410), 100.0) == 0.0
    assert one.list_due


def test_expiry_after_expiry_backs_off() -> None:
    one = reflector()
    delays = [one.failed(Expired(410), moment) for moment in (0.0, 0.1, 1.0)]
    assert delays == [0.0, 0.8, 1.6]
    assert one.failed(Expired(410), 1000.0) == 0.0


def test_a_watch_that_brought_something_or_lasted_is_followed_at_once() -> None:
    one = reflector()
    one.watching(0.0)
    one.progressed()
    assert one.ended(0.01) == 0.0
    one.watching(1.0)
    assert one.ended(301.0) == 0.0


def test_a_watch_that_was_held_for_long_begins_a_new_series_of_failures() -> None:
    """A proxy that cuts every quiet watch after a minute costs a second each time, and not ever more."""
    reflector = Reflector(lambda: 0.0)
    reflector.listed()
    delays = []
    for minute in range(6):
        reflector.watching(60.0 * minute)
        delays.append(reflector.failed(ConnectionFailed("cut"), 60.0 * minute + 59.0))
    assert delays == [0.8] * 6


def test_failures_to_watch_at_all_go_on_growing_however_long_they_are_apart() -> None:
    reflector = Reflector(lambda: 0.0)
    reflector.listed()
    now, delays = 0.0, []
    for _ in range(7):
        reflector.watching(now)
        delays.append(reflector.failed(ConnectionFailed("refused"), now))
        now += delays[-1]
    assert delays == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
