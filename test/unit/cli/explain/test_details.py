"""What an explanation adds to a cause: times, numbers, and the words of nodes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.explain import explained
from aiop.cli.explain.workload.views import Claim, Event
from aiop.runtime.views.workloads import TimedCondition
from support.evidence import crashed, event, evidence_of, looked_at, node, pod_times, waiting
from support.servingworld import World


def starting(*containers: Any, **fields: Any) -> World:
    world = World(ready_at_once=0)
    world.change(replicas=1, **fields)
    world.step()
    world.pods[0].containers = containers
    looked_at(world)
    return world


def cause_of(world: World, **more: Any) -> Finding:
    found = explained(evidence_of(world, **more)).cause
    assert found is not None
    return found


@pytest.mark.parametrize(("back_off", "seconds"), [("10s", 10), ("1m20s", 80), ("5m0s", 300), ("1h0m5s", 3605)])
def test_the_end_of_a_back_off_is_the_containers_end_and_the_kubelets_pause(back_off: str, seconds: int) -> None:
    world = starting(crashed(back_off=back_off))
    uid = world.pods[0].uid
    found = cause_of(world, times={uid: pod_times(uid, "server", world.now)})
    assert found.at == world.now.replace(microsecond=0) + timedelta(seconds=seconds)
    assert found.next == "the kubelet starts the container again"
    assert found.numbers == {"restarts": 4, "exitCode": 1}
    assert found.source.part == "container server: waiting, CrashLoopBackOff, last state Error with exit code 1"


@pytest.mark.parametrize("back_off", ["", "soon", "99999999999999h"])
def test_a_back_off_that_makes_no_sense_has_no_end(back_off: str) -> None:
    world = starting(crashed(back_off=back_off))
    uid = world.pods[0].uid
    found = cause_of(world, times={uid: pod_times(uid, "server", world.now)})
    assert found.next.startswith("the kubelet goes on trying")


def test_nodes_that_may_be_seen_are_told_with_what_the_largest_has() -> None:
    world = starting()
    world.capacity = 0
    world.step()
    nodes = [
        node("a", nvidia_com__gpu="0"),
        node("b", nvidia_com__gpu="4"),
        node("c", unschedulable=True, nvidia_com__gpu="8"),
    ]
    found = cause_of(world, nodes=nodes)
    assert found.message.endswith("each asks for 1 nvidia.com/gpu, and the largest of 2 nodes has 4")
    assert found.numbers == {"asked nvidia.com/gpu": "1", "largest node nvidia.com/gpu": "4"}


def test_nodes_that_may_not_be_seen_leave_the_schedulers_words_alone() -> None:
    world = starting()
    world.capacity = 0
    world.step()
    assert cause_of(world).numbers == {}


def test_a_claim_is_told_with_its_phase_and_the_provisioners_words() -> None:
    world = starting()
    unbound = TimedCondition(
        "PodScheduled",
        "False",
        "Unschedulable",
        "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    )
    world.pods[0].conditions = (unbound,)
    claim = msgspec.convert({"metadata": {"name": "models"}, "spec": {}, "status": {"phase": "Pending"}}, Claim)
    said = event("models", "ProvisioningFailed", "no space left in the pool\n", 7)
    said = msgspec.structs.replace(
        said,
        involved_object=msgspec.convert(
            {"kind": "PersistentVolumeClaim", "name": "models"}, type(said.involved_object)
        ),
    )
    found = cause_of(world, claim=claim, events=[event("x", "Other", "no"), said])
    assert found.reason == "ClaimNotBound"
    assert "the claim is Pending, with the default StorageClass" in found.message
    assert found.message.endswith("ProvisioningFailed: no space left in the pool")
    assert str(found.source) == "persistentvolumeclaim/models, event ProvisioningFailed, 7 times"


def test_what_a_node_says_of_volumes_is_told_though_the_operator_reads_no_events() -> None:
    world = starting(waiting("ContainerCreating"))
    pod = world.pods[0].uid
    found = cause_of(world, events=[event(pod, "FailedMount", "Multi-Attach error for volume", 3)])
    assert found.reason == "PodsNotReady"
    assert found.message.endswith("FailedMount: Multi-Attach error for volume")
    assert str(found.source) == f"pod/{pod}, event FailedMount, 3 times"
    assert found.numbers == {"ready": 0, "wanted": 1, "events": 3}


def test_a_rollouts_patience_ends_when_its_deployment_says() -> None:
    world = starting(waiting("ImagePullBackOff", "not found"))
    observed = world.observe()
    (name,) = observed.deployments
    state = observed.deployments[name]
    status = msgspec.json.decode(state.view.status)
    status["conditions"] = [{"type": "Progressing", "status": "True", "lastUpdateTime": "2026-01-01T00:00:00Z"}]
    view = msgspec.structs.replace(state.view, status=msgspec.json.encode(status))
    late = replace(observed, deployments={name: replace(state, view=view, deadline=600)})
    found = explained(replace(evidence_of(world), observed=late)).cause
    assert found is not None
    assert found.next.endswith("without progress the rollout counts as stuck")
    assert f"{found.at:%H:%M:%S}" == "00:10:00"
    assert found.fix == "correct the image's name or tag"


def test_an_event_that_was_told_in_series_counts_with_its_last_time() -> None:
    told = msgspec.convert(
        {"metadata": {}, "eventTime": "2026-01-01T00:00:00Z",
         "series": {"count": 9, "lastObservedTime": "2026-01-01T00:05:00Z"}},
        Event,
    )  # fmt: skip
    assert (told.times, told.last) == (9, "2026-01-01T00:05:00Z")
