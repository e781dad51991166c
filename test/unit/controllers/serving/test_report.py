"""What people read: the status of a workload in every situation."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aiop.api.aiworkloadstatus import AIWorkloadStatus
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.plan import make_plan
from aiop.controllers.serving.reasons import REASONS
from aiop.controllers.serving.report import Report, make_report
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import HORIZONTALPODAUTOSCALERS, INGRESSES
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import (
    ContainerState,
    ContainerStatus,
    ReplicaSet,
    ReplicaSetStatus,
    Running,
    TimedCondition,
)
from support.servingworld import FakePod, World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCALED: dict[str, Any] = {"enabled": True, "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilization": 75}
KNOWN = {(reason.name, condition) for reason in REASONS for condition in reason.conditions}


def served(**fields: Any) -> World:
    world = World()
    world.change(**fields)
    world.settle()
    return world


def report_of(world: World, hindrance: Hindrance | None = None, now: datetime = NOW) -> Report:
    observed = world.observe()
    report = make_report(
        observed, make_plan(observed, world.specs, world.settings, world.now), hindrance or Hindrance(), now
    )
    world.status = report.status
    return report


def status_of(world: World, hindrance: Hindrance | None = None) -> dict[str, Any]:
    """The status, checked for what must hold of every one."""
    status: dict[str, Any] = msgspec.json.decode(report_of(world, hindrance).status)
    AIWorkloadStatus.model_validate_json(msgspec.json.encode(status), extra="forbid")
    unknown = {(each["reason"], each["type"]) for each in status["conditions"]} - KNOWN
    assert not unknown, "a reason that the table of reasons does not know"
    assert all(each["observedGeneration"] == world.generation for each in status["conditions"])
    return status


def conditions_of(world: World, hindrance: Hindrance | None = None) -> dict[str, tuple[str, str]]:
    status = status_of(world, hindrance)
    return {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}


def message_of(world: World, kind: str) -> str:
    return next(str(each["message"]) for each in status_of(world)["conditions"] if each["type"] == kind)


def test_a_served_workload_is_ready_in_every_word() -> None:
    status = status_of(served())
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions == {
        "Accepted": "True", "Ready": "True", "Available": "True", "Progressing": "False", "EndpointReady": "True",
        "ScalingActive": "False", "ModelReady": "True", "Degraded": "False",
    }  # fmt: skip
    assert all(each["message"] for each in status["conditions"]), "a person reads them, and the events made of them"
    assert (status["replicas"], status["readyReplicas"], status["version"]) == (2, 2, "v1")
    assert status["selector"] == "geartickler.com/aiworkload=bert"
    (row,) = status["versions"]
    assert (row["ready"], row["desired"], row["traffic"], row["state"]) == (2, 2, 100, "Serving")
    assert (row["modelUri"], row["runtime"]) == ("pvc://models/bert-base-uncased/v1", "triton")


def test_servers_that_take_requests_are_counted_in_words() -> None:
    assert message_of(served(replicas=1), "Available") == "1 server takes requests"
    assert message_of(served(replicas=2), "Available") == "2 servers take requests"


def test_at_the_first_look_every_condition_is_there() -> None:
    found = conditions_of(World())
    assert found["Ready"][0] == "False"
    assert found["Reconciling"] == ("True", "RollingOut")
    assert {"Accepted", "Available", "Progressing", "EndpointReady", "ScalingActive", "Degraded"} <= set(found)


def test_ready_is_never_true_while_rolling_and_available_stays_true() -> None:
    world = served(replicas=4)
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    seen = set()
    for _ in range(40):
        world.step()
        found = conditions_of(world)
        rolling = len(world.counts()) > 1
        assert not (rolling and found["Ready"][0] == "True")
        assert found["Available"][0] == "True"
        seen.add(found["Ready"][0])
    assert seen == {"True", "False"}


def test_both_versions_and_their_shares_show_while_rolling() -> None:
    world = served(replicas=3)
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    world.step()
    rows = {row["name"]: row for row in status_of(world)["versions"]}
    assert rows["v1"]["state"] == "Retiring"
    assert rows["v2"]["state"] == "Progressing"
    assert rows["v1"]["traffic"] + rows["v2"]["traffic"] == 100
    assert status_of(world)["version"] == "v1"


def test_the_message_of_a_rollout_names_cause_numbers_and_who_serves() -> None:
    world = served(replicas=2)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    message = message_of(world, "Ready")
    assert "rolling out v2" in message
    assert "the last revision serves meanwhile" in message


def test_kstatus_reads_exactly_one_of_ready_reconciling_and_stalled() -> None:
    for world in (served(), World(), World(spec={"modelName": 3})):
        found = conditions_of(world)
        told = [found["Ready"][0] == "True", "Reconciling" in found, "Stalled" in found]
        assert told.count(True) == 1


def test_a_spec_that_makes_no_sense_is_told_while_the_last_good_one_serves() -> None:
    world = served()
    url = status_of(world)["url"]
    world.change(replicas="many")
    world.settle()
    found = conditions_of(world)
    assert found["Accepted"] == ("False", "InvalidSpec")
    assert found["Ready"] == ("False", "InvalidSpec")
    assert found["Available"][0] == "True"
    assert found["Stalled"] == ("True", "InvalidSpec")
    assert status_of(world)["url"] == url
    assert "spec.replicas" in message_of(world, "Accepted")


def test_an_autoscaler_that_goes_on_under_a_bad_spec_is_not_called_off() -> None:
    world = served(autoscaling=SCALED)
    world.change(replicas="many")
    world.settle()
    assert conditions_of(world)["ScalingActive"][0] == "True"


def test_what_the_api_server_finds_wrong_is_an_invalid_spec() -> None:
    refusal = NotAccepted("InvalidSpec", "the API server refuses the Deployment 'x': limits below requests")
    found = conditions_of(served(), Hindrance(refusal=refusal))
    assert found["Accepted"] == ("False", "InvalidSpec")
    assert found["Ready"] == ("False", "InvalidSpec")


def test_what_the_api_server_forbids_is_told_in_its_words_and_never_called_ready() -> None:
    found = conditions_of(served(), Hindrance(refusal=ChildRefused("QuotaExceeded", "exceeded quota")))
    assert found["Accepted"][0] == "True"
    assert found["Ready"] == ("False", "QuotaExceeded")
    assert found["Degraded"] == ("True", "QuotaExceeded")
    assert found["Stalled"] == ("True", "QuotaExceeded")


def test_a_strangers_object_of_a_childs_name_is_a_conflict() -> None:
    found = conditions_of(served(), Hindrance(conflicts=("Service bert",)))
    assert found["Ready"] == ("False", "NameConflict")
    assert found["Stalled"] == ("True", "NameConflict")


def test_scaled_to_zero_is_ready_and_not_available() -> None:
    found = conditions_of(served(replicas=0))
    assert found["Ready"] == ("True", "ScaledToZero")
    assert found["Available"] == ("False", "ScaledToZero")


def test_no_progress_within_the_deadline_stalls_and_keeps_the_cause() -> None:
    world = served(replicas=1)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    world.overdue.add("v2")
    found = conditions_of(world)
    assert found["Progressing"] == ("False", "ProgressDeadlineExceeded")
    assert found["Stalled"] == ("True", "ProgressDeadlineExceeded")
    assert "0 of 1 pods are ready" in message_of(world, "Ready")


def test_pods_that_are_refused_are_told_in_the_servers_words() -> None:
    world = World()
    world.reconcile()
    (thing,) = (each for each in world.things.values() if each.resource.kind == "Deployment")
    condition = TimedCondition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: gpus")
    labels = dict(thing.body["metadata"]["labels"])
    world.replica_sets = (ReplicaSet(ObjectMeta(name="rs", labels=labels), ReplicaSetStatus(conditions=(condition,))),)
    assert conditions_of(world)["Degraded"] == ("True", "QuotaExceeded")
    assert "exceeded quota: gpus" in message_of(world, "Ready")


def test_servers_that_merely_start_are_no_defect_unless_they_had_been_there() -> None:
    world = World(ready_at_once=0)
    world.step()
    assert conditions_of(world)["Degraded"][0] == "False"
    world = served()
    world.pods[0].ready = False
    assert conditions_of(world)["Degraded"] == ("True", "PodsNotReady")


def test_servers_that_somebody_asks_for_in_addition_are_no_defect_while_they_start() -> None:
    world = served(replicas=1)
    assert conditions_of(world)["Ready"] == ("True", "Serving")
    world.ready_at_once = 0
    world.change(replicas=3)
    for _ in range(3):
        world.step()
        found = conditions_of(world)
        assert (found["Ready"], found["Degraded"]) == (("False", "PodsNotReady"), ("False", "Healthy"))
    for pod in world.pods:
        pod.ready = True
    assert conditions_of(world)["Ready"] == ("True", "Serving")
    world.pods[0].ready = False
    assert conditions_of(world)["Degraded"] == ("True", "PodsNotReady")
    # What is lost stays lost, whatever else is asked for meanwhile.
    world.change(replicas=4)
    world.step()
    assert conditions_of(world)["Degraded"] == ("True", "PodsNotReady")


def test_servers_that_the_autoscaler_adds_are_no_defect_while_they_start() -> None:
    world = served(autoscaling=SCALED)
    assert conditions_of(world)["Ready"] == ("True", "Serving")
    world.ready_at_once = 0
    (deployment,) = (each for each in world.things.values() if each.resource.kind == "Deployment")
    deployment.body["spec"]["replicas"] = 4
    world.step()
    assert len(world.pods) == 4
    found = conditions_of(world)
    assert (found["Ready"], found["Degraded"]) == (("True", "Serving"), ("False", "Healthy"))
    for pod in world.pods[:3]:
        pod.ready = False
    assert conditions_of(world)["Degraded"] == ("True", "PodsNotReady")


def test_a_server_that_was_evicted_is_a_defect_only_where_it_had_served() -> None:
    world = served()
    world.pods[0].ready = False
    gone = FakePod("evicted", "x", world.pods[0].revision, "v1", phase="Failed", reason="Evicted")
    world.pods.append(gone)
    assert conditions_of(world)["Degraded"] == ("True", "Evicted")
    fresh = World(ready_at_once=0)
    fresh.step()
    gone.revision = fresh.pods[0].revision
    fresh.pods.append(gone)
    assert conditions_of(fresh)["Degraded"][0] == "False"


def test_a_server_that_does_not_get_ready_is_looked_at_again_when_it_has_had_its_time() -> None:
    world = served()
    world.pods[0].ready = False
    running = ContainerState(running=Running(NOW.strftime("%Y-%m-%dT%H:%M:%SZ")))
    world.pods[0].containers = (ContainerStatus(name="server", started=True, state=running),)
    assert report_of(world).look_again == 60.0
    report = report_of(world, now=NOW + timedelta(seconds=60))
    assert report.look_again is None
    assert {each.type: each.reason for each in report.after}["Degraded"] == "ReadinessFailing"


def test_the_models_way_is_told_in_a_condition_of_its_own() -> None:
    assert conditions_of(served())["ModelReady"] == ("True", "ModelMounted")
    assert conditions_of(served(replicas=0))["ModelReady"] == ("False", "ScaledToZero")
    assert conditions_of(World(spec={"modelName": 3}))["ModelReady"] == ("False", "InvalidSpec")
    world = World()
    world.step()
    assert conditions_of(world)["ModelReady"][1] in {"ModelWaiting", "ModelMounted"}


def test_growth_by_the_autoscaler_does_not_unset_ready() -> None:
    world = served(autoscaling=SCALED)
    world.autoscaler_wants, world.ready_at_once = 5, 0
    world.step()
    assert world.counts() == {"v1": 5}
    assert conditions_of(world)["Ready"][0] == "True"


def test_a_pod_that_is_over_or_leaving_is_no_replica() -> None:
    world = served()
    world.pods.append(FakePod("evicted", "x", "y", "v1", phase="Failed"))
    assert status_of(world)["replicas"] == 2


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        (None, ("False", "AutoscalingOff")),
        ({"enabled": False}, ("False", "AutoscalingOff")),
        (SCALED, ("False", "AutoscalerWaiting")),
        ({"enabled": True, "targetGPUUtilization": 80}, ("False", "NoUsableMetric")),
    ],
)
def test_scaling_active_says_how_the_count_is_set(scaling: Any, expected: tuple[str, str]) -> None:
    assert conditions_of(served(autoscaling=scaling))["ScalingActive"] == expected


def test_an_active_autoscaler_is_told_with_bounds_and_what_was_left_out() -> None:
    world = served(autoscaling={**SCALED, "targetGPUUtilization": 80})
    world.child_status[HORIZONTALPODAUTOSCALERS] = {
        "desiredReplicas": 3,
        "lastScaleTime": "2026-01-01T00:00:00Z",
        "conditions": [{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "fine"}],
    }
    status = status_of(world)
    assert status["autoscaling"] == {
        "desired": 3,
        "reason": "fine",
        "lastScaleTime": "2026-01-01T00:00:00Z",
        "metrics": [{"name": "cpu", "target": "75%"}],
    }
    message = message_of(world, "ScalingActive")
    assert "between 2 and 5" in message
    assert "targetGPUUtilization 80 is left out" in message
    assert "spec.replicas being the number to begin with" in message


def test_the_url_is_the_services_until_somebody_answers_outside() -> None:
    world = served()
    world.cluster = Cluster(ingress_classes={"nginx": "k8s.io/ingress-nginx"}, default_class="nginx")
    assert status_of(world)["url"] == "http://bert.default.svc"
    world.child_status[INGRESSES] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert status_of(world)["url"] == "http://192.0.2.1/api/v1/predict"
    world.change(ingress={"host": "a.example", "tlsSecretName": "cert"})
    assert status_of(world)["url"] == "https://a.example/api/v1/predict"


def test_the_url_of_a_spec_that_cannot_be_served_is_the_last_good_one_as_long_as_that_is_exposed() -> None:
    world = served(ingress={"host": "a.example"})
    assert status_of(world)["url"] == "http://a.example/v2/models/bert-base-uncased/infer"
    world.change(runtime="nowhere")
    world.settle()
    assert status_of(world)["url"] == "http://a.example/v2/models/bert-base-uncased/infer"
    del world.things[INGRESSES, "bert"]
    assert status_of(world)["url"] == "http://bert.default.svc"


def test_a_url_is_not_told_before_there_is_one() -> None:
    world = World()
    world.change(runtime="nowhere")
    assert status_of(world)["url"] == ""
    assert status_of(world)["url"] == ""


def test_nothing_new_gives_the_same_bytes_later() -> None:
    world = served()
    first = report_of(world).status
    later = report_of(world, now=datetime(2027, 1, 1, tzinfo=UTC)).status
    assert msgspec.json.decode(first) == msgspec.json.decode(later)


def test_a_status_that_makes_no_sense_is_written_anew() -> None:
    world = served()
    world.status = b'{"conditions": 7}'
    assert conditions_of(world)["Ready"][0] == "True"


@pytest.mark.parametrize(
    ("gateway_api", "reason", "summary"),
    [(False, "GatewayAPIMissing", "Stalled"), (True, "GatewayPending", "Reconciling")],
)
def test_who_asks_for_a_gateway_is_not_ready_before_it_leads_to_the_servers(
    gateway_api: bool, reason: str, summary: str
) -> None:
    world = World(cluster=Cluster(gateway_api=gateway_api))
    world.change(gateway={"name": "public"})
    world.settle()
    conditions = conditions_of(world)
    assert conditions["Available"] == ("True", "EndpointsReady")
    assert conditions["EndpointReady"] == conditions["Ready"] == ("False", reason)
    assert conditions[summary] == ("True", reason)
    assert ("Stalled" in conditions) != ("Reconciling" in conditions)


def test_it_is_not_ready_before_every_server_that_counts_stands_behind_the_service() -> None:
    world = served()
    observed = world.observe()
    (whole,) = observed.slices
    assert whole.endpoints is not None
    half = msgspec.structs.replace(whole, endpoints=whole.endpoints[:1])
    report = make_report(dataclasses.replace(observed, slices=(half,)), world.plan(), Hindrance(), NOW)
    ready = next(each for each in report.after if each.type == "Ready")
    assert (ready.status, ready.reason) == ("False", "RollingOut")
    assert "1 of 2 servers stand behind the Service" in ready.message
