"""Times as the API writes them."""

from aiop.runtime.kit.clock import Clock


def moment_of(clock: Clock) -> str:
    """Now, in whole seconds."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_moment_of(clock: Clock) -> str:
    """Now, in microseconds."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
