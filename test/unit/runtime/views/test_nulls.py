"""Nulls, which clients may send and some servers keep: as good as nothing, wherever they are."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.decoding import Decoding, TypeMeta
from aiop.runtime.informer.errors import UndecodableObject
from aiop.runtime.views.custom import decode_custom
from aiop.runtime.views.meta import ObjectMeta, ObjectView
from aiop.runtime.views.nulls import nulls_left_out
from aiop.runtime.views.owned import DeploymentStatus, ManagedFieldsEntry, decode_owned, decode_revision
from aiop.runtime.views.partial import decode_partial
from aiop.runtime.views.workloads import (
    Endpoint,
    PodStatus,
    decode_endpoint_slice,
    decode_node,
    decode_pod,
    decode_replica_set,
)
from support.informerbench import Recorded

ALL = (
    decode_custom,
    decode_owned,
    decode_revision,
    decode_partial,
    decode_pod,
    decode_node,
    decode_replica_set,
    decode_endpoint_slice,
)
FIELDS = (
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "managedFields",
)


def body(metadata: dict[str, Any] | None = None, **parts: Any) -> bytes:
    return msgspec.json.encode({"metadata": {"name": "a", **(metadata or {})}, **parts})


@pytest.mark.parametrize("decode", ALL)
@pytest.mark.parametrize("fields", [*[(name,) for name in FIELDS], FIELDS])
def test_null_metadata_has_its_default(decode: Callable[[bytes], ObjectView], fields: tuple[str, ...]) -> None:
    assert decode(body(dict.fromkeys(fields))).metadata == ObjectMeta(name="a")


@pytest.mark.parametrize("decode", ALL)
def test_null_parts_are_as_good_as_none(decode: Callable[[bytes], ObjectView]) -> None:
    assert decode(body(spec=None, status=None, data=None, revision=None, endpoints=None)) == decode(body())


def test_nulls_deep_in_metadata_are_left_out() -> None:
    owner = {"uid": "1", "kind": None, "controller": None}
    meta = {"labels": {"a": "b", "c": None}, "finalizers": ["f", None], "ownerReferences": [owner]}
    view = decode_custom(body(meta))
    assert (view.metadata.labels, view.metadata.finalizers) == ({"a": "b"}, ("f",))
    assert [(each.uid, each.kind, each.controller) for each in view.metadata.owner_references] == [("1", "", False)]


def test_what_others_parse_keeps_its_own_nulls_and_its_spaces() -> None:
    piece = b'{ "x" : null, "y": [ null ] }'
    data = b'{"metadata":{"name":"a","labels":null},"spec":%b,"status":%b,"data":%b}' % ((piece,) * 3)
    custom, owned, revision = decode_custom(data), decode_owned(data), decode_revision(data)
    assert (custom.spec, custom.status) == (owned.content, owned.status) == (piece, piece)
    assert revision.data == piece


def test_a_child_without_a_spec_has_its_data_for_content() -> None:
    assert decode_owned(body(spec=None, data={"x": 1})).content == b'{"x":1}'


def test_null_managed_fields_are_none() -> None:
    view = decode_owned(body({"managedFields": [{"manager": "m", "subresource": None, "fieldsV1": None}]}))
    assert view.managed_fields == (ManagedFieldsEntry("m"),)


def test_null_lists_of_a_workload_are_empty() -> None:
    lists = dict.fromkeys(("conditions", "containerStatuses", "initContainerStatuses", "podIP"))
    assert decode_pod(body(status={"phase": "Running", **lists})).status == PodStatus(phase="Running")
    container = {"name": "server", "state": None, "lastState": {"waiting": {"reason": None}}, "image": None}
    (found,) = decode_pod(body(status={"containerStatuses": [container]})).status.container_statuses
    assert (found.name, found.state.waiting, found.image) == ("server", None, "")
    assert decode_replica_set(body(status={"conditions": None})).status.conditions == ()
    assert decode_node(body(status={"allocatable": None, "conditions": None})).status.allocatable == {}
    assert decode_endpoint_slice(body(endpoints=[{"addresses": None, "conditions": None}])).endpoints == (Endpoint(),)


def test_a_childs_status_may_have_nulls() -> None:
    view = decode_owned(body(status={"replicas": 2, "readyReplicas": None, "conditions": None}))
    assert view.status_as(DeploymentStatus) == DeploymentStatus(replicas=2)


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b'{"metadata":null}',
        b'{"metadata":{"name":"a","labels":7,"finalizers":null}}',
        b'{"metadata":{"name":"a","labels":null},"other":1e999}',
        b'{"metadata":{"name":"a","labels":null}',
        b'{"metadata":{"name":"a","labels":null},"other":%b}' % (b"[" * 5000 + b"]" * 5000),
    ],
)
def test_what_makes_no_sense_without_its_nulls_either_is_refused_for_what_was_sent(data: bytes) -> None:
    plain = msgspec.json.Decoder(ObjectMeta)
    for decode in ALL:
        with pytest.raises((msgspec.DecodeError, RecursionError)):
            decode(data)
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `null`"):
        nulls_left_out(plain.decode)(b'{"name":null,"labels":7}')


def test_what_is_good_is_decoded_once() -> None:
    seen: list[bytes] = []
    data = b'{"a":null}'
    assert nulls_left_out(lambda each: seen.append(each) or each)(data) is data  # type: ignore[func-returns-value]
    assert seen == [data]


def test_an_object_that_is_nonsense_is_known_by_its_name_though_other_fields_are_null() -> None:
    decoding = Decoding("widgets", decode_custom, TypeMeta("", ""), Recorded())
    with pytest.raises(UndecodableObject) as caught:
        decoding.view(body({"namespace": "default", "uid": "1", "resourceVersion": None, "labels": 7}))
    assert ObjectKey(caught.value.namespace, caught.value.name) == ObjectKey("default", "a")
    assert (caught.value.uid, caught.value.resource_version) == ("1", "")
