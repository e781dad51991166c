"""Counts how models are fetched, by the last word of each run of the fetcher, while this process leads.

Every replica sees the pods; counted by all of them, the sum would be too much. Runs that end while nobody leads, and
all but the last of those that a gap in the watch hides, are not counted.
"""

from collections.abc import Callable

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram

from aiop.controllers.serving.pod.fetching import FETCH
from aiop.runtime.informer.events import Event
from aiop.runtime.views.workloads import ContainerStatus, Pod, Terminated

# From a file of some MiB nearby to hundreds of GiB over a slow line.
_SECONDS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
# A tenant can write anything into the last word of a container: more than a day, or than a PiB, is no fetch.
_LONGEST_SECONDS = 86400.0
_MOST_BYTES = 2**50
_SUCCEEDED, _FAILED = "succeeded", "failed"
_NEVER = -1


class _Word(msgspec.Struct):
    bytes: int = 0
    seconds: float = 0.0


class ModelFetches:
    """A handler for pods; ``leads`` says whether this process leads."""

    def __init__(self, registry: CollectorRegistry, leads: Callable[[], bool]) -> None:
        self._leads = leads
        self._runs = Counter(
            "aiop_model_fetches", "Runs of the fetcher that ended, by their result.", ["result"], registry=registry
        )
        self._seconds = Histogram(
            "aiop_model_fetch_seconds", "Seconds that a fetch took, of those that succeeded.", registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._bytes = Counter("aiop_model_fetched_bytes", "Bytes of models that were fetched.", registry=registry)
        for result in (_SUCCEEDED, _FAILED):
            self._runs.labels(result)

    def seen(self, event: Event[Pod]) -> None:
        """A pod changed."""
        if event.new is None or event.initial or not self._leads():
            return
        before = _NEVER if event.old is None else _last_run(_fetcher(event.old))[0]
        number, ended = _last_run(_fetcher(event.new))
        if ended is not None and number > before:
            self._count(ended)

    def _count(self, ended: Terminated) -> None:
        if ended.exit_code:
            self._runs.labels(_FAILED).inc()
            return
        self._runs.labels(_SUCCEEDED).inc()
        word = _word(ended.message)
        if word is not None:
            self._seconds.observe(word.seconds)
            self._bytes.inc(word.bytes)


def _fetcher(pod: Pod) -> ContainerStatus | None:
    return next((each for each in pod.status.init_container_statuses if each.name == FETCH), None)


def _last_run(container: ContainerStatus | None) -> tuple[int, Terminated | None]:
    """The number of the last run that ended, and how it did; the kubelet counts a run when it begins."""
    if container is None:
        return _NEVER, None
    state, last = container.state, container.last_state.terminated
    if state.terminated is not None:
        return container.restart_count, state.terminated
    if last is None:
        return _NEVER, None
    return container.restart_count - (state.waiting is None), last


def _word(message: str) -> _Word | None:
    """What the fetcher counted; None for what it cannot have said."""
    try:
        word = msgspec.json.decode(message, type=_Word)
    except (msgspec.DecodeError, RecursionError):
        return None
    return word if 0 <= word.seconds <= _LONGEST_SECONDS and 0 <= word.bytes <= _MOST_BYTES else None
