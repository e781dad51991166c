"""The leader is lost in three ways, under load: the next one takes over, and the lost one's late writes do no harm."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from hack.node.cluster import NodeCluster
from hack.node.errors import NodeFailed
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
    eventually(
        lambda: replicas.ready(2) and all_has_come(replicas, node), told=lambda: replicas.kubectl("describe", "pods")
    )
    assert "\n".join(map(str, late(replicas.story()))) == ""


def all_has_come(replicas: Replicas, node: NodeCluster) -> bool:
    """Nothing that the pods sent is on its way. Not known of a container that kubelet just ends: it was not heard."""
    try:
        pids = [node.container_pid(SYSTEM, pod["metadata"]["name"]) for pod in replicas.pods()]
        return not any(map(unacknowledged, pids))
    except (NodeFailed, OSError):
        return False


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
    with cut(node, replicas) as pod:
        pass
    settled(replicas, node)
    # Its events tell for an hour that kubelet did not hear it.
    replicas.kubectl("delete", "pod", pod)


@contextmanager
def cut(node: NodeCluster, replicas: Replicas) -> Iterator[str]:
    """While it lasts, the pod that led is cut off and another leads."""
    began = time.monotonic()
    pod = pod_of(replicas.leader())
    try:
        old, new = lost(replicas, lambda pod: node.cut(SYSTEM, pod))
        assert old != new
        yield pod
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))  # as long as the cut is to last
    finally:
        node.mend(SYSTEM, pod)
