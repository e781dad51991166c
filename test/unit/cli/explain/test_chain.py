"""From facts to the one cause: every link of the chain, without any API server."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aiop.cli.explain.explanation import Explanation, Unread
from aiop.cli.explain.workload.explain import explained
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.refusals import TRIED_AGAIN
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import HORIZONTALPODAUTOSCALERS
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import ContainerStatus, ReplicaSet, ReplicaSetStatus, TimedCondition
from support.evidence import crashed, evidence_of, lease, looked_at, quota, waiting
from support.resizeworld import ResizeWorld
from support.servingworld import NO_ROOM, World

SCALED: dict[str, Any] = {"enabled": True, "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilization": 75}
QUOTA = (
    'pods "bert-1" is forbidden: exceeded quota: small, requested: limits.cpu=2, used: limits.cpu=7, limited: '
    "limits.cpu=8"
)


def served(**fields: Any) -> World:
    world = World()
    world.change(**fields)
    world.settle()
    looked_at(world)
    return world


def starting(containers: Sequence[ContainerStatus] = (), **fields: Any) -> World:
    """A first rollout whose pods are there and do not get ready."""
    world = World(ready_at_once=0)
    world.change(**fields)
    world.step()
    for pod in world.pods:
        pod.containers = tuple(containers)
    return world


def reason_of(found: Explanation) -> str:
    assert found.cause is not None
    return found.cause.reason


def test_nothing_holds_a_workload_back_that_serves() -> None:
    found = explained(evidence_of(served()))
    assert (found.cause, found.healthy, found.state, found.notes) == (None, True, "Serving", ())
    assert found.wanted == "2 servers of v1"
    assert found.found == "2 ready, 2 take requests"
    assert found.servers == {"wanted": 2, "exist": 2, "ready": 2, "takeRequests": 2}


def test_a_workload_that_is_scaled_to_zero_is_as_it_was_asked_for() -> None:
    found = explained(evidence_of(served(replicas=0)))
    assert (found.cause, found.healthy, found.state) == (None, True, "ScaledToZero")
    assert found.wanted == "0 servers of v1"


@pytest.mark.parametrize(
    ("containers", "reason"),
    [
        ((crashed(),), "CrashLoop"),
        ((waiting("ImagePullBackOff", "registry/a:1: not found"),), "ImageNotFound"),
        ((waiting("ErrImagePull", "unauthorized"),), "ImagePullDenied"),
        ((waiting("InvalidImageName", "couldn't parse image"),), "InvalidImageName"),
        ((waiting("CreateContainerConfigError", 'secret "keys" not found'),), "MissingSecret"),
        ((waiting("CreateContainerConfigError", "odd"),), "ContainerConfigError"),
        ((waiting("RunContainerError", "no such device"),), "ContainerStartFailed"),
        ((waiting("ContainerCreating"),), "PodsNotReady"),
    ],
)
def test_the_cause_is_the_one_that_the_conditions_name(containers: Sequence[ContainerStatus], reason: str) -> None:
    world = starting(containers)
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == reason
    assert (found.condition["reason"], found.healthy, found.notes) == (reason, False, ())


def test_pods_without_a_node_are_told_in_the_schedulers_words() -> None:
    world = starting()
    world.capacity = 0
    world.step()
    looked_at(world)
    found = explained(evidence_of(world))
    assert found.cause is not None
    assert found.cause.reason == "Unschedulable"
    assert NO_ROOM.message.rstrip(".") in found.cause.message
    assert found.cause.source.part.startswith("condition PodScheduled")
    assert found.cause.fix == "Free or add what is short, or ask for less."
    assert found.cause.next == "they start as soon as there is room"


def test_pods_that_may_not_be_created_are_told_with_the_quota_as_it_is_now() -> None:
    world = starting()
    world.pods = []
    revision = world.plan().target
    assert revision is not None
    failure = TimedCondition("ReplicaFailure", "True", "FailedCreate", QUOTA)
    meta = ObjectMeta(name="bert-set", labels={"geartickler.com/revision": revision.hash})
    world.replica_sets = (ReplicaSet(meta, ReplicaSetStatus(conditions=(failure,))),)
    looked_at(world)
    found = explained(evidence_of(world, quotas=[quota("other"), quota("small", limits_cpu=("8", "8"))]))
    assert found.cause is not None
    assert found.cause.reason == found.condition["reason"] == "QuotaExceeded"
    assert found.cause.message.endswith("used now: 8 of 8 limits.cpu")
    assert found.cause.numbers == {"missing": 2, "used limits.cpu": "8 of 8"}
    assert (found.cause.source.kind, found.cause.source.name) == ("ReplicaSet", "bert-set")


def test_a_spec_that_is_refused_is_told_in_the_conditions_words() -> None:
    world = served()
    world.change(framework="COBOL")
    looked_at(world)
    found = explained(evidence_of(world))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.source.part) == ("NoServingRuntime", "condition Accepted")
    assert "'COBOL'" in found.cause.message
    assert found.cause.next == "the last good revision goes on serving until then"
    assert found.state == "HeldBack"


def test_a_spec_that_makes_no_sense_is_found_out_without_an_operator() -> None:
    world = served()
    world.change(modelUri="nowhere", framework=None)
    found = explained(evidence_of(world, leases=None))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.source.part) == ("InvalidSpec", "what the condition Accepted would say")
    assert any("generation 2, the spec is generation 3" in note for note in found.notes)


def test_what_depends_on_the_operators_settings_is_not_guessed() -> None:
    world = World()
    assert reason_of(explained(evidence_of(world))) == "OperatorSilent"


def test_an_operator_that_never_ran_has_brought_no_runtimes_and_that_is_no_fault_of_the_spec() -> None:
    found = explained(evidence_of(World(runtimes={}), leases=()))
    assert (reason_of(found), found.wanted) == ("OperatorSilent", "2 servers of v1")


def test_where_runtimes_are_known_it_is_seen_that_none_serves() -> None:
    world = World()
    world.change(framework="COBOL")
    assert reason_of(explained(evidence_of(world))) == "NoServingRuntime"


def test_the_operators_own_word_on_the_spec_counts() -> None:
    world = served()
    looked_at(world, Hindrance(refusal=NotAccepted("NoModelSource", "set a modelUri")))
    assert reason_of(explained(evidence_of(world))) == "NoModelSource"


def test_a_name_that_is_a_strangers_is_told_with_who_has_it() -> None:
    world = World()
    looked_at(world)
    found = explained(evidence_of(world, namesakes=["Service bert"]))
    assert found.cause is not None
    assert (found.cause.reason, str(found.cause.source)) == (
        "NameConflict",
        "service/bert, metadata.ownerReferences",
    )
    assert found.cause.next == "the operator tries again every minute"


def test_a_name_conflict_is_taken_from_the_condition_where_the_stranger_is_not_seen() -> None:
    world = World()
    looked_at(world, Hindrance(conflicts=("Deployment bert-1",)))
    found = explained(evidence_of(world))
    assert reason_of(found) == "NameConflict"
    assert "Deployment bert-1" in found.cause.message if found.cause else False


def test_a_child_that_is_forbidden_is_told_by_the_operator_who_was_told() -> None:
    world = starting()
    words = f"the API server refuses the Service 'bert': {QUOTA}"
    refused = ChildRefused("QuotaExceeded", f"{words}{TRIED_AGAIN}; raise it")
    looked_at(world, Hindrance(refusal=refused))
    found = explained(evidence_of(world, quotas=[quota("small", limits_cpu=("7", "8"))]))
    assert found.cause is not None
    assert found.cause.reason == "QuotaExceeded"
    assert found.cause.source.part == "condition Progressing"
    assert found.cause.message == f"{words}; used now: 7 of 8 limits.cpu"
    assert (found.cause.next, found.cause.fix) == ("the operator tries again every minute", "raise it")


def test_an_operator_that_is_down_is_told_beside_the_cause_that_is_found_without_it() -> None:
    world = starting()
    looked_at(world)
    for pod in world.pods:
        pod.containers = (crashed("the model file is damaged"),)
    found = explained(evidence_of(world, leases=[lease(world.now - timedelta(minutes=5))]))
    assert reason_of(found) == "CrashLoop"
    assert found.operator == {"alive": False, "leaseAgeSeconds": 300, "observedGeneration": 2, "seen": True}
    assert any("the operator is down: its Lease has not been renewed for 5m" in note for note in found.notes)
    assert any("the conditions say PodsNotReady" in note for note in found.notes)


def test_a_spec_that_nobody_looks_at_is_the_operators_silence() -> None:
    world = World()
    found = explained(evidence_of(world, leases=[lease(world.now - timedelta(hours=3))]))
    assert found.cause is not None
    assert (found.cause.reason, found.state) == ("OperatorSilent", "OperatorSilent")
    assert "has said nothing of it yet; the operator is down" in found.cause.message
    assert str(found.cause.source) == "lease/aiop-manager, spec.renewTime"
    assert "kubectl -n aiop-system get pods" in found.cause.fix
    assert found.notes == ()


def test_a_new_generation_that_nobody_looks_at_is_told_by_the_generations_alone() -> None:
    world = served()
    world.change(modelVersion="v2")
    found = explained(evidence_of(world, leases=None))
    assert found.cause is not None
    assert found.cause.reason == "OperatorSilent"
    assert "has not looked at generation 3 yet; its status speaks of generation 2" in found.cause.message
    assert found.operator["alive"] is None
    assert found.servers["takeRequests"] == 2


def test_an_operator_that_has_only_just_been_told_is_given_a_moment() -> None:
    world = World()
    found = explained(evidence_of(world))
    assert found.cause is not None
    assert (found.cause.next, found.cause.fix) == ("it should look at any moment", "")


def test_a_lease_that_nobody_holds_means_that_none_leads() -> None:
    world = served()
    found = explained(evidence_of(world, leases=[lease(world.now, holder="")]))
    assert found.healthy
    assert any("no replica of the operator holds its Lease" in note for note in found.notes)


def test_a_rollout_under_way_is_no_fault() -> None:
    world = served(replicas=4)
    world.change(modelVersion="v2")
    world.ready_at_once = 0
    world.step()
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == "PodsNotReady"
    assert (found.state, found.healthy) == ("RollingOut", False)
    assert "of them of another revision" in found.found


def test_a_rollout_that_is_stuck_names_what_blocks_it_and_that_it_is_stuck() -> None:
    world = served()
    world.change(modelVersion="v2")
    world.broken.add("v2")
    world.overdue.add("v2")
    world.step()
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == found.condition["reason"] == "ProgressDeadlineExceeded"
    for pod in world.pods:
        pod.containers = () if pod.ready else (crashed(),)
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == "CrashLoop"
    assert found.cause is not None
    assert "the rollout made no progress for 600 s (ProgressDeadlineExceeded)" in found.cause.next
    assert found.notes == ()


def test_a_rollout_that_waits_for_room_says_what_it_will_do() -> None:
    world = served(replicas=1)
    world.capacity = 1
    world.change(modelVersion="v2")
    for _ in range(8):
        world.step()
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == "Unschedulable"
    assert found.cause is not None
    assert "spec.rollout.maxUnavailable: 1" in found.cause.next


def test_servers_that_get_other_amounts_while_they_run_are_under_way_once_the_operator_has_looked() -> None:
    world = ResizeWorld()
    world.settle()
    looked_at(world)
    world.change_amounts("3")
    assert reason_of(explained(evidence_of(world))) == "OperatorSilent"
    looked_at(world)
    found = explained(evidence_of(world))
    assert reason_of(found) == found.condition["reason"] == "ResizingInPlace"
    assert (found.state, found.notes) == ("RollingOut", ())


def test_a_revision_that_the_operator_made_by_settings_of_its_own_is_the_wanted_one() -> None:
    world = World(settings=ServingSettings(model_store="pvc://elsewhere"), ready_at_once=0)
    world.change(updatePolicy="Auto")
    world.step()
    for pod in world.pods:
        pod.containers = (crashed(),)
    looked_at(world)
    found = explained(evidence_of(world))
    assert (reason_of(found), found.notes) == ("CrashLoop", ())
    assert found.servers == {"wanted": 2, "exist": 2, "ready": 0, "takeRequests": 0}


@pytest.mark.parametrize(
    ("reason", "message", "cause", "what"),
    [
        (
            "PathTaken",
            "the path '/p' belongs to 'first'; set another path, or a host of its own. Until then …; … lets go",
            "the path '/p' belongs to 'first'",
            "path",
        ),
        (
            "HostTaken",
            "spec.ingress.host: 'a.b' belongs to another namespace; set another host. Until then …; … lets go",
            "spec.ingress.host: 'a.b' belongs to another namespace",
            "host",
        ),
    ],
)
def test_what_another_workload_holds_is_told_once_with_what_to_do(
    reason: str, message: str, cause: str, what: str
) -> None:
    world = served()
    status = msgspec.json.decode(world.status)
    for each in status["conditions"]:
        if each["type"] == "Accepted":
            each |= {"status": "False", "reason": reason, "message": message}
    world.status = msgspec.json.encode(status)
    found = explained(evidence_of(world))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.message) == (reason, cause)
    assert found.cause.next == f"inside the cluster it is served; it gets the {what} once the other one lets go of it"
    assert found.cause.fix.startswith("Set a")
    assert found.cause.fix.count("lets go") == 0


def test_ready_servers_behind_no_service_are_told() -> None:
    world = served()
    observed = replace(world.observe(), slices=())
    looked_at(world)
    found = explained(replace(evidence_of(world), observed=replace(observed, workload=world.workload())))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.source.kind) == ("NoReadyEndpoint", "Service")


def test_an_autoscaler_at_its_maximum_is_told_and_holds_nothing_back() -> None:
    world = World()
    world.change(autoscaling=SCALED)
    said = [
        {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
        {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
        {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "the maximum is reached"},
    ]
    world.child_status = {HORIZONTALPODAUTOSCALERS: {"conditions": said}}
    world.settle()
    looked_at(world)
    found = explained(evidence_of(world))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.harmless, found.healthy) == ("AtMaximum", True, True)
    assert found.wanted == "2 servers of v1 (autoscaled, 2 to 5)"


def test_a_workload_that_is_being_deleted_is_told_first() -> None:
    world = starting([crashed()])
    observed = world.observe()
    meta = msgspec.structs.replace(
        observed.workload.metadata,
        deletion_timestamp="2026-01-01T00:00:40Z",
        finalizers=("example.com/hold",),
        generation=observed.workload.metadata.generation + 1,  # as a deletion counts too
    )
    gone = replace(observed, workload=msgspec.structs.replace(observed.workload, metadata=meta))
    found = explained(replace(evidence_of(world), observed=gone))
    assert (reason_of(found), found.state) == ("Deleting", "Deleting")
    assert found.cause is not None
    assert "2 pods are left and the finalizers example.com/hold" in found.cause.message
    assert not found.notes


def test_what_is_seen_now_goes_before_a_condition_that_is_older_and_the_answer_says_so() -> None:
    world = served()
    for pod in world.pods:
        pod.ready, pod.containers = False, (crashed(),)
    found = explained(evidence_of(world))
    assert reason_of(found) == "CrashLoop"
    assert list(found.notes) == ["the condition Ready still says True (Serving); what is seen now is newer"]


def test_a_condition_that_lags_behind_a_recovery_is_told_too() -> None:
    world = starting([crashed()])
    looked_at(world)
    world.ready_at_once = 100
    world.settle()
    found = explained(evidence_of(world))
    assert (found.cause, found.healthy) == (None, True)
    assert list(found.notes) == ["the condition Ready still says CrashLoop; what is seen now is newer"]


def test_who_may_read_the_workload_alone_is_told_what_its_conditions_say() -> None:
    world = starting([crashed()])
    looked_at(world)
    bare = replace(world.observe(), pods=(), revisions=(), deployments={}, replica_sets=(), slices=(), services={})
    unread = [Unread("pods", "you may not read them")]
    found = explained(replace(evidence_of(world, unread=unread), observed=bare))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.source.part) == ("CrashLoop", "condition Degraded")
    assert any(note.startswith("without pods this is less sure (you may not read them)") for note in found.notes)


def test_a_status_that_somebody_spoiled_is_none() -> None:
    world = served()
    world.status = b'{"conditions": 5, "observedGeneration": "x"}'
    found = explained(evidence_of(world))
    assert (reason_of(found), found.condition) == ("OperatorSilent", {})
    assert found.servers["ready"] == 2
