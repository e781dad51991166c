"""Each run of the fetcher counts once, by its own last word, whatever else a tenant writes there."""

import math
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from aiop.controllers.serving.modelfetches import ModelFetches
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.fetcher.termination import Outcome
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.events import Event, EventType
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Pod, PodStatus, Terminated, Waiting

DONE = Terminated(0, "Completed", Outcome("Fetched", "All of it.", files=2, bytes=1000, seconds=12.5).line())
FAILED = Terminated(1, "Error", Outcome("AccessDenied", "No.", bytes=10, seconds=1.0).line())
RUNNING = ContainerState()
BACKING_OFF = ContainerState(waiting=Waiting("CrashLoopBackOff"))


def ended(how: Terminated) -> ContainerState:
    return ContainerState(terminated=how)


def pod(state: ContainerState = RUNNING, restarts: int = 0, last: Terminated | None = None, name: str = FETCH) -> Pod:
    container = ContainerStatus(
        name=name, restart_count=restarts, state=state, last_state=ContainerState(terminated=last)
    )
    return Pod(ObjectMeta(name="p", namespace="team"), status=PodStatus(init_container_statuses=(container,)))


@dataclass
class Counted:
    leads: bool = True
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.fetches = ModelFetches(self.registry, lambda: self.leads)
        self.last: Pod | None = None

    def see(self, *states: Pod, initial: bool = False) -> None:
        for state in states:
            kind = EventType.ADDED if self.last is None else EventType.MODIFIED
            self.fetches.seen(Event(kind, ObjectKey("team", "p"), self.last, state, initial=initial))
            self.last = state

    def counts(self) -> tuple[float | None, ...]:
        """Succeeded and failed runs, measured ones, seconds, bytes."""
        runs = [
            self.registry.get_sample_value("aiop_model_fetches_total", {"result": each})
            for each in ("succeeded", "failed")
        ]
        names = ("aiop_model_fetch_seconds_count", "aiop_model_fetch_seconds_sum", "aiop_model_fetched_bytes_total")
        return (*runs, *(self.registry.get_sample_value(name) for name in names))


def test_all_shows_from_the_start() -> None:
    assert Counted().counts() == (0, 0, 0, 0, 0)


def test_a_fetch_counts_when_it_ends_and_not_again() -> None:
    this = Counted()
    this.see(pod(), pod(ended(DONE)), pod(ended(DONE)))
    assert this.counts() == (1, 0, 1, 12.5, 1000)


def test_each_failed_run_counts_once_through_its_back_off() -> None:
    this = Counted()
    this.see(pod())
    for number in range(3):
        this.see(pod(ended(FAILED), number), pod(BACKING_OFF, number, FAILED), pod(RUNNING, number + 1, FAILED))
    assert this.counts() == (0, 3, 0, 0, 0)
    this.see(pod(ended(DONE), 3, FAILED))
    assert this.counts() == (1, 3, 1, 12.5, 1000)


def test_what_had_ended_before_is_not_counted() -> None:
    this = Counted()
    this.see(pod(ended(DONE)), initial=True)
    this.see(pod(ended(DONE)))
    assert this.counts() == (0, 0, 0, 0, 0)


def test_a_pod_that_is_first_seen_after_its_fetch_counts() -> None:
    this = Counted()
    this.see(pod(ended(DONE)))
    assert this.counts()[0] == 1


def test_a_replica_that_does_not_lead_counts_nothing() -> None:
    this = Counted(leads=False)
    this.see(pod(), pod(ended(DONE)))
    assert this.counts() == (0, 0, 0, 0, 0)


def test_other_containers_and_pods_that_go_are_none_of_its_business() -> None:
    this = Counted()
    this.see(pod(name=MEASURE), pod(ended(DONE), name=MEASURE))
    this.fetches.seen(Event(EventType.DELETED, ObjectKey("team", "p"), pod(ended(DONE)), None))
    assert this.counts() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "message",
    [
        "", "no JSON", "[]", "{", "[" * 100_000, '{"bytes": "1"}', '{"bytes": -1}', '{"bytes": 1e300}',
        '{"bytes": 99999999999999999999999}', '{"seconds": -1}', '{"seconds": 1e9}', '{"seconds": null}',
    ],
)  # fmt: skip
def test_a_last_word_that_the_fetcher_cannot_have_said_measures_nothing(message: str) -> None:
    this = Counted()
    this.see(pod(), pod(ended(Terminated(0, "Completed", message))))
    assert this.counts() == (1, 0, 0, 0, 0)
    assert all(math.isfinite(each or 0) for each in this.counts())
