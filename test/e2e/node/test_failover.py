"""The leader is lost in three ways, under load: the next one takes over, and the lost one's late writes do no harm."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from hack.node.cluster import NodeCluster
from support.changing import changes
from support.kubectl import Kubectl, eventually
from support.replicas import SYSTEM, Replicas, late, pod_of, work, work_of
from support.sockets import unacknowledged
from support.workloads import wait_for, workload

pytestmark = [pytest.mark.real, pytest.mark.slow]
# The Lease's fifteen seconds, and one to begin: what `docs/reference/performance.md` promises.
TAKEOVER = timedelta(seconds=16)
# Longer than the lease, so that who is cut off has lost it by the time that he is heard again.
CUT_SECONDS = 30.0
# Each change is a write that only a leader makes.
PERIOD_SECONDS = 0.25


@pytest.fixture
def _load(node: NodeCluster, team: Kubectl, released: object) -> Iterator[None]:
    """Somebody changes a workload's path, again and again: the Ingress follows."""
    team.apply(workload(replicas=0, modelUri="pvc://models/iris", inferenceEndpoint="/v0"))
    wait_for(team, "Accepted", "True")
    with changes(node.kubeconfig, team.namespace, "demo", every=PERIOD_SECONDS):
        yield


def lost(replicas: Replicas, how: Callable[[str], object]) -> tuple[str, str]:
    """The leader is lost in that way: another process leads, and works, within the time. The pods of the two."""
    old = replicas.leader()
    eventually(lambda: work(replicas.story(), datetime.now(UTC) - TAKEOVER, pod_of(old)), told=replicas.story)
    began = datetime.now(UTC)
    how(pod_of(old))
    new = replicas.another(old)
    done = eventually(lambda: work_of(replicas.story(), began, new), told=replicas.story)
    assert done[0].answered - began <= TAKEOVER
    return pod_of(old), pod_of(new)


def settled(replicas: Replicas, node: NodeCluster) -> None:
    """Both are ready again, and whatever was on its way has come: nothing was written behind the new leader's back."""
    eventually(lambda: replicas.ready(2), told=lambda: replicas.kubectl("describe", "pods"))
    pids = [node.container_pid(SYSTEM, pod["metadata"]["name"]) for pod in replicas.pods()]
    eventually(lambda: not any(map(unacknowledged, pids)))
    assert "\n".join(map(str, late(replicas.story()))) == ""


@pytest.mark.usefixtures("_load")
def test_a_leaders_pod_that_is_deleted_hands_over(replicas: Replicas, node: NodeCluster) -> None:
    old, new = lost(replicas, lambda pod: replicas.kubectl("delete", "pod", pod, "--wait=false"))
    assert old != new
    settled(replicas, node)


@pytest.mark.usefixtures("_load")
def test_a_leader_that_is_killed_leads_on_once_it_has_started_again(replicas: Replicas, node: NodeCluster) -> None:
    old, new = lost(replicas, lambda pod: os.kill(node.container_pid(SYSTEM, pod), signal.SIGKILL))
    assert old == new
    settled(replicas, node)


@pytest.mark.usefixtures("_load")
def test_a_leader_whose_packets_are_dropped_writes_nothing_once_it_is_heard_again(
    replicas: Replicas, node: NodeCluster
) -> None:
    with cut(node, replicas):
        pass
    settled(replicas, node)


@contextmanager
def cut(node: NodeCluster, replicas: Replicas) -> Iterator[None]:
    began = time.monotonic()
    pod = pod_of(replicas.leader())
    try:
        old, new = lost(replicas, lambda pod: node.cut(SYSTEM, pod))
        assert old != new
        yield
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))  # as long as the cut is to last
    finally:
        node.mend(SYSTEM, pod)
