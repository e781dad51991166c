"""Times as the API writes them."""

from datetime import UTC, datetime

from aiop.runtime.kit.clock import Clock


def moment_of(clock: Clock) -> str:
    """Now, in whole seconds."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_moment_of(clock: Clock) -> str:
    """Now, in microseconds."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_since(moment: str, clock: Clock) -> float:
    """Seconds from ``moment`` (a time of the API) until now."""
    then = datetime.fromisoformat(moment)
    return (clock.now() - then.astimezone(UTC)).total_seconds()
