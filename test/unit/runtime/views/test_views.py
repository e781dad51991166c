"""Views, from bytes as an API server sends them."""

import gc
import tracemalloc
from typing import Any

import msgspec
import pytest

from aiop.runtime.views.custom import decode_custom
from aiop.runtime.views.owned import (
    AutoscalerStatus,
    DeploymentStatus,
    IngressStatus,
    ManagedFieldsEntry,
    decode_owned,
    decode_revision,
)
from aiop.runtime.views.workloads import (
    TargetReference,
    TimedCondition,
    Waiting,
    decode_endpoint_slice,
    decode_node,
    decode_pod,
    decode_replica_set,
)

META = {"name": "a", "namespace": "default", "uid": "1", "resourceVersion": "7"}


def body(**parts: Any) -> bytes:
    return msgspec.json.encode({"metadata": META, **parts})


def pod(**status: Any) -> bytes:
    return body(spec={"nodeName": "node-1", "containers": []}, status=status)


def test_a_pod_that_was_just_created_has_defaults_for_what_is_missing() -> None:
    view = decode_pod(body(spec={"containers": []}, status={}))
    assert (view.spec.node_name, view.status.phase, view.status.container_statuses) == ("", "", ())
    assert not view.ready
    assert view.condition("Ready") is None


def test_a_pod_tells_why_it_is_not_scheduled() -> None:
    words = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    view = decode_pod(
        pod(
            phase="Pending",
            conditions=[
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": words,
                    "lastProbeTime": None,
                }
            ],
        )
    )
    assert view.condition("PodScheduled") == TimedCondition("PodScheduled", "False", "Unschedulable", words)


def test_a_pod_tells_how_its_containers_are_and_how_they_ended_before() -> None:
    view = decode_pod(
        pod(
            phase="Running",
            podIP="10.0.0.1",
            containerStatuses=[
                {
                    "name": "server",
                    "ready": False,
                    "restartCount": 3,
                    "image": "model-server:1",
                    "imageID": "",
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                    "lastState": {
                        "terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": None, "finishedAt": None}
                    },
                }
            ],
            initContainerStatuses=[
                {"name": "fetch", "ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}
            ],
        )
    )
    server, fetch = view.status.container_statuses[0], view.status.init_container_statuses[0]
    assert view.status.pod_ip == "10.0.0.1"
    assert server.state.waiting == Waiting("CrashLoopBackOff", "back-off 40s")
    assert server.last_state.terminated is not None
    assert (server.restart_count, server.last_state.terminated.exit_code) == (3, 137)
    assert server.last_state.terminated.reason == "OOMKilled"
    assert fetch.state.terminated is not None
    assert fetch.state.terminated.exit_code == 0


def test_a_running_container_has_neither_of_the_two_states() -> None:
    view = decode_pod(pod(containerStatuses=[{"name": "server", "state": {"running": {}}, "lastState": {}}]))
    state = view.status.container_statuses[0].state
    assert (state.waiting, state.terminated) == (None, None)


@pytest.mark.parametrize(("deleting", "ready"), [(None, True), ("2026-01-01T00:00:00Z", False)])
def test_a_pod_on_its_way_out_is_not_ready(deleting: str | None, ready: bool) -> None:
    meta = {**META, "deletionTimestamp": deleting} if deleting else META
    data = {"metadata": meta, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert decode_pod(msgspec.json.encode(data)).ready is ready


def test_views_cannot_be_changed() -> None:
    view = decode_pod(pod(conditions=[]))
    for target, name in ((view, "status"), (view.metadata, "name"), (view.status, "phase")):
        with pytest.raises(AttributeError):
            setattr(target, name, "other")
    assert isinstance(view.status.conditions, tuple)


def test_a_replica_set_keeps_the_words_of_quota() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    view = decode_replica_set(body(status={"replicas": 0, "conditions": [failure]}))
    assert view.status.conditions[0].message == "exceeded quota"


def test_an_endpoint_without_a_word_on_readiness_counts_as_ready() -> None:
    endpoints = [
        {"addresses": ["10.0.0.1"], "conditions": {}},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False, "serving": True, "terminating": True}},
        {
            "addresses": ["10.0.0.3"],
            "conditions": {"ready": None},
            "targetRef": {"kind": "Pod", "name": "p", "uid": "9"},
        },
    ]
    meta = {**META, "labels": {"kubernetes.io/service-name": "web"}}
    view = decode_endpoint_slice(msgspec.json.encode({"metadata": meta, "endpoints": endpoints}))
    assert view.service == "web"
    assert view.endpoints is not None
    assert [endpoint.ready for endpoint in view.endpoints] == [True, False, True]
    assert view.endpoints[1].conditions.terminating is True
    assert view.endpoints[2].target_ref == TargetReference("Pod", "p", "9")


def test_a_slice_without_endpoints_says_null_and_is_read() -> None:
    assert decode_endpoint_slice(body(endpoints=None)).endpoints is None


def test_a_node_tells_what_it_has() -> None:
    view = decode_node(body(spec={"unschedulable": True}, status={"allocatable": {"nvidia.com/gpu": "8"}}))
    assert view.spec.unschedulable
    assert view.status.allocatable["nvidia.com/gpu"] == "8"


def test_a_child_keeps_its_spec_to_the_byte_and_who_owns_what() -> None:
    fields = b'{"f:spec":{"f:replicas":{}}}'
    entry = b'{"manager":"kubectl","operation":"Update","subresource":"scale","time":null,"fieldsV1":%s}' % fields
    data = b'{"metadata":{"name":"a","managedFields":[%s]},"spec":{ "replicas" : 2 },"status":{}}' % entry
    view = decode_owned(data)
    assert view.content == b'{ "replicas" : 2 }'
    assert view.managed_fields == (ManagedFieldsEntry("kubectl", "Update", "scale", fields),)
    assert not hasattr(view.metadata, "managed_fields")


def test_raw_parts_do_not_pin_the_buffer_that_they_came_in() -> None:
    view = decode_owned(body(spec={"a": 1}, status={"b": 2}))
    assert {type(part) for part in (view.content, view.status)} == {bytes}
    custom = decode_custom(body(spec={"a": 1}))
    assert (type(custom.spec), custom.spec, custom.status) == (bytes, b'{"a":1}', b"{}")


def test_a_childs_status_is_read_as_far_as_it_matters() -> None:
    deployment = decode_owned(
        body(status={"observedGeneration": 4, "replicas": 3, "readyReplicas": 2, "unavailableReplicas": 1})
    )
    ingress = decode_owned(body(status={"loadBalancer": {"ingress": [{"hostname": "lb.example", "ports": []}]}}))
    scaler = decode_owned(body(status={"currentReplicas": 1, "desiredReplicas": 5, "currentMetrics": None}))
    assert deployment.status_as(DeploymentStatus) == DeploymentStatus(4, replicas=3, ready_replicas=2)
    assert ingress.status_as(IngressStatus).load_balancer.ingress[0].hostname == "lb.example"
    assert scaler.status_as(AutoscalerStatus).desired_replicas == 5
    assert decode_owned(body()).status_as(DeploymentStatus) == DeploymentStatus()


@pytest.mark.parametrize(("uid", "owned"), [("1", True), ("2", False), ("3", False)])
def test_a_child_belongs_to_its_controller_alone(uid: str, owned: bool) -> None:
    owners = [{"uid": "1", "kind": "AIWorkload", "controller": True}, {"uid": "2", "kind": "Other"}]
    view = decode_owned(msgspec.json.encode({"metadata": {**META, "ownerReferences": owners}}))
    assert view.owned_by(uid) is owned


def test_a_revision_keeps_its_data_and_its_number() -> None:
    data = body(data={"template": {"x": 1}}, revision=3)
    view = decode_revision(data)
    assert (view.data, view.revision) == (b'{"template":{"x":1}}', 3)
    assert decode_owned(data).content == view.data


def test_what_is_no_object_is_refused() -> None:
    for nonsense in (b"", b"[]", b"{}", b'{"metadata":{"labels":[]}}'):
        with pytest.raises(msgspec.DecodeError):
            decode_pod(nonsense)


@pytest.mark.own_process
def test_a_cached_pod_takes_five_kibibytes_at_most() -> None:
    managed = [{"manager": "kubelet", "operation": "Update", "fieldsV1": {f"f:{number}": {} for number in range(300)}}]
    conditions = [{"type": f"Condition{number}", "status": "True", "lastProbeTime": None} for number in range(5)]
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [{"name": "server", "ready": True}]}
    meta = {**META, "labels": {"app": "x", "hash": "y"}, "annotations": {"seen": "z"}, "managedFields": managed}
    data = msgspec.json.encode({"metadata": meta, "spec": {"nodeName": "node-1"}, "status": status})
    gc.collect()
    tracemalloc.start()
    try:
        views = [decode_pod(data) for _ in range(200)]
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / len(views) < 5 * 1024


def test_when_a_pod_was_resized_is_known_by_the_newest_of_those_who_did() -> None:
    managers = [
        {"manager": "aiop/serving", "time": "2026-01-01T00:00:09Z", "subresource": "resize", "fieldsV1": {}},
        {"manager": "vpa", "time": "2026-01-01T00:00:04Z", "subresource": "resize", "fieldsV1": {}},
        {"manager": "kubelet", "time": "2026-01-01T00:00:30Z", "subresource": "status", "fieldsV1": {}},
    ]
    assert decode_pod(body(metadata={**META, "managedFields": managers})).resized_at == "2026-01-01T00:00:09Z"
    assert decode_pod(body(metadata={**META, "managedFields": managers[2:]})).resized_at == ""
