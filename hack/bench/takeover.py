"""How long nobody leads on a real node: the leader's pod is deleted, or its process is killed."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hack.bench.figures import Figure, scaled
from hack.bench.node import NodeBench, released_node
from hack.bench.spread import middle
from support.changing import changes
from support.kubectl import eventually
from support.replicas import LEASE, SYSTEM, Write, claim, pod_of, work, work_of
from support.workloads import wait_for, workload

_ROUNDS = 3
# Each is a write that only a leader makes: the new one has work at once.
_PERIOD_SECONDS = 0.25
_NAME = "changed"


class NoTakeover(ValueError):
    """Raised when an audit log does not show the new leader's claim and its first work."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """Seconds: how long nobody held the lease, and from the loss until the new leader's first write was answered."""

    leaderless: float
    work: float


def measure_takeover(scale: float) -> list[Figure]:
    """Two replicas of the chart, by turns; a workload's path changes four times a second meanwhile."""
    bench = released_node()
    clean, killed = list[Takeover](), list[Takeover]()
    with bench.team("bench-takeover") as team:
        team.kubectl.apply(workload(_NAME, replicas=0, modelUri="pvc://models/light/v1", inferenceEndpoint="/v0"))
        wait_for(team.kubectl, "Accepted", "True", name=_NAME)
        with changes(team.node.kubeconfig, team.kubectl.namespace, _NAME, every=_PERIOD_SECONDS):
            for _ in range(scaled(_ROUNDS, scale)):
                clean.append(_lost(bench, lambda pod: _delete(bench, pod)))
                killed.append(_lost(bench, lambda pod: _kill(bench, pod)))
    return figures_of(clean, killed)


def figures_of(clean: Sequence[Takeover], killed: Sequence[Takeover]) -> list[Figure]:
    """The slowest of each, as a promise has to bear it."""
    return [
        _figure(
            "without a leader on the real node, its pod deleted", clean, "from the old leader's release of the lease"
        ),
        _figure(
            "… its process killed with -9",
            killed,
            "from the kill (its container starts again; the lease is of 15 s)",
            goal=16.0,
        ),
    ]


def takeover(story: Sequence[Write], began: datetime, old: str, new: str) -> Takeover:
    """By the audit log, from the loss of the leader ``old`` at ``began`` on; both are identities. Raises NoTakeover.

    A leader that goes in good order leads until it releases the lease; any other one counts as gone from ``began`` on.
    """
    taken = claim(list(story), began, new)
    done = work_of(list(story), began, new)
    if taken is None or not done:
        message = f"{new} has not taken over from {old} since {began}"
        raise NoTakeover(message)
    leases = [each for each in story if each.name == LEASE and each.done and each.received >= began]
    gone = max([began, *(each.answered for each in leases if not each.holder and each.answered <= taken.answered)])
    return Takeover((taken.answered - gone).total_seconds(), (done[0].answered - began).total_seconds())


def _lost(bench: NodeBench, how: Callable[[str], object]) -> Takeover:
    old = bench.settle()
    # It does its work already: what comes after the loss is the other one's.
    since = datetime.now(UTC)
    eventually(lambda: work(bench.replicas.story(), since, pod_of(old)))
    began = datetime.now(UTC)
    how(pod_of(old))
    new = bench.replicas.another(old)
    eventually(lambda: work_of(bench.replicas.story(), began, new))
    return takeover(bench.replicas.story(), began, old, new)


def _delete(bench: NodeBench, pod: str) -> None:
    bench.replicas.kubectl("delete", "pod", pod, "--wait=false")


def _kill(bench: NodeBench, pod: str) -> None:
    os.kill(bench.node.container_pid(SYSTEM, pod), signal.SIGKILL)


def _figure(name: str, takeovers: Sequence[Takeover], since: str, goal: float | None = None) -> Figure:
    slowest = max(takeovers, key=lambda each: each.leaderless)
    all_of_them = ", ".join(f"{each.leaderless:.2f}" for each in takeovers)
    words = (
        f"{since} to the next process's claim, audit log; slowest of {all_of_them} s, median "
        f"{middle([each.leaderless for each in takeovers]):.2f} s; from the loss to the new leader's first write "
        f"{max(each.work for each in takeovers):.2f} s or less"
    )
    return Figure(name, slowest.leaderless, "s", words, goal=goal)
