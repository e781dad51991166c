"""What the environment sets beside credentials: limits, attempts, and where the last word goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiop.fetcher.errors import Failed

# Far above any model that is known; a listing that is longer is a mistake or an attack.
DEFAULT_MAX_FILES = 100_000
# With waits of 1, 2, 4, 8, 16 s a source has half a minute to come back; the kubelet's own retries follow.
DEFAULT_ATTEMPTS = 6
# Eight streams fill 10 Gbit/s from the object stores that serve 1 Gbit/s each.
DEFAULT_STREAMS = 8
DEFAULT_TERMINATION_LOG = "/dev/termination-log"


@dataclass(frozen=True, slots=True)
class Settings:
    """``max_bytes`` is None where only the folder's free room limits.

    ``attempts`` is how often a request is made that brings nothing, ``streams`` how many run at once.
    """

    max_bytes: int | None = None
    max_files: int = DEFAULT_MAX_FILES
    attempts: int = DEFAULT_ATTEMPTS
    streams: int = DEFAULT_STREAMS
    termination_log: Path = Path(DEFAULT_TERMINATION_LOG)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings; raises Failed for a number that is none or not above zero."""
    return Settings(
        max_bytes=_number(environment, "AIOP_MAX_BYTES", 0) or None,
        max_files=_number(environment, "AIOP_MAX_FILES", DEFAULT_MAX_FILES),
        attempts=_number(environment, "AIOP_ATTEMPTS", DEFAULT_ATTEMPTS),
        streams=_number(environment, "AIOP_STREAMS", DEFAULT_STREAMS),
        termination_log=termination_log_of(environment),
    )


def termination_log_of(environment: Mapping[str, str]) -> Path:
    """Where the last line goes; never raises."""
    return Path(environment.get("AIOP_TERMINATION_LOG") or DEFAULT_TERMINATION_LOG)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    # Longer ones are no sizes; int() would refuse the longest with an error of its own.
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):  # noqa: PLR2004 - fits 64 bits
        raise Failed(f"{name} must be a whole number above zero, without a unit.")
    return int(text)
