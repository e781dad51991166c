from typing import Any

import msgspec
import pytest
from hypothesis import given

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.names import ASKED_ANNOTATION, REVISION_LABEL, revision_name
from aiop.controllers.serving.revision import KnownRevision, RevisionData, asked_hash, known_revisions, target_revision
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.owned import Revision
from support.servingspecs import workload_spec, workload_specs
from support.servingworld import BERT, default_runtimes

SETTINGS = ServingSettings(model_store="pvc://models")


def target(known: list[KnownRevision] | None = None, **fields: Any) -> KnownRevision:
    spec = workload_spec({**BERT, **fields})
    return target_revision("bert", spec, known or [], default_runtimes(), SETTINGS)


def stored(name: str, number: int, data: RevisionData, **annotations: str) -> Revision:
    meta = ObjectMeta(
        name=revision_name("bert", name),
        labels={REVISION_LABEL: name},
        annotations={ASKED_ANNOTATION: "x"} | annotations,
    )
    return Revision(meta, msgspec.json.encode(data), number)


POD: dict[str, Any] = {"containers": [{"name": "server", "ports": [{"name": "http", "containerPort": 8080}]}]}
DATA = RevisionData(pod=POD, asked="first")


@pytest.mark.parametrize(
    "fields",
    [
        {"replicas": 7},
        {"autoscaling": {"enabled": True}},
        {"inferenceEndpoint": "/other"},
        {"ingress": {"host": "a.example"}},
        {"gateway": {"name": "public"}},
        {"rollout": {"maxSurge": 2}},
        {"updatePolicy": "Auto"},
    ],
)
def test_what_does_not_reach_the_pods_makes_no_new_revision(fields: dict[str, Any]) -> None:
    assert target(**fields).hash == target().hash
    assert asked_hash(workload_spec({**BERT, **fields})) == asked_hash(workload_spec(BERT))


@pytest.mark.parametrize(
    "fields",
    [
        {"modelVersion": "v2"},
        {"modelName": "other"},
        {"env": [{"name": "A", "value": "b"}]},
        {"args": ["--more"]},
        {"nodeSelector": {"a": "b"}},
        {"priorityClassName": "high"},
        {"resources": {"limits": {"cpu": 3}}},
        {"tolerations": [{"operator": "Exists"}]},
        {"probes": {"readiness": {"path": "/x"}}},
        {"modelUri": "s3://b/m"},
    ],
)
def test_what_reaches_the_pods_makes_a_new_revision(fields: dict[str, Any]) -> None:
    assert target(**fields).hash != target().hash


def test_a_number_and_its_text_are_the_same_amount() -> None:
    one = target(resources={"limits": {"nvidia.com/gpu": 1}})
    assert one.hash == target(resources={"limits": {"nvidia.com/gpu": "1"}}).hash


@given(workload_specs)
def test_the_same_spec_gives_the_same_revision(spec: AIWorkloadSpec) -> None:
    again = workload_spec(spec.model_dump(by_alias=True, exclude_defaults=True, mode="json"))
    assert asked_hash(again) == asked_hash(spec)
    first = target_revision("bert", spec, [], default_runtimes(), SETTINGS)
    assert target_revision("bert", again, [], default_runtimes(), SETTINGS).hash == first.hash
    assert len(first.hash) == 10


def test_a_stored_revision_survives_being_stored() -> None:
    made = target()
    view = stored(made.hash, 3, made.data)
    (known,) = known_revisions([view], "bert")
    assert (known.hash, known.number, known.data) == (made.hash, 3, made.data)


def test_known_revisions_are_in_the_order_of_their_use() -> None:
    views = [stored("bbbbbbbbbb", 5, DATA), stored("aaaaaaaaaa", 2, DATA), stored("cccccccccc", 9, DATA)]
    assert [each.number for each in known_revisions(views, "bert")] == [2, 5, 9]


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"pod": 3, "asked": ""}', b"nonsense", b"[" * 100_000])
def test_a_record_that_makes_no_sense_is_as_good_as_absent(data: bytes) -> None:
    view = stored("aaaaaaaaaa", 1, DATA)
    assert known_revisions([msgspec.structs.replace(view, data=data)], "bert") == []


def test_a_record_whose_label_was_changed_is_as_good_as_absent() -> None:
    view = stored("aaaaaaaaaa", 1, DATA)
    meta = msgspec.structs.replace(view.metadata, labels={REVISION_LABEL: "bbbbbbbbbb"})
    assert known_revisions([msgspec.structs.replace(view, metadata=meta)], "bert") == []


def test_pinned_takes_the_newest_revision_that_was_asked_for_so() -> None:
    asked = asked_hash(workload_spec(BERT))
    known = [
        KnownRevision("aaaaaaaaaa", 1, DATA, (asked,)),
        KnownRevision("bbbbbbbbbb", 2, DATA, ("first", asked)),
        KnownRevision("cccccccccc", 3, DATA, ("other",)),
    ]
    found = target(known)
    assert (found.hash, found.asked) == ("bbbbbbbbbb", (asked,))


def test_auto_resolves_anew_each_time() -> None:
    asked = asked_hash(workload_spec(BERT))
    assert target([KnownRevision("aaaaaaaaaa", 1, DATA, (asked,))], updatePolicy="Auto").hash != "aaaaaaaaaa"


def test_a_revision_knows_where_its_model_came_from() -> None:
    data = target().data
    assert (data.model_uri, data.runtime, data.version) == ("pvc://models/bert-base-uncased/v1", "triton", "v1")


SERVER = {"name": "server", "ports": [{"name": "http", "containerPort": 8080}]}


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"containers": []},
        {"containers": None},
        {"containers": [{"name": "server"}]},
        {"containers": [{"name": "server", "ports": []}]},
        {"containers": [{"name": "other", "ports": [{"name": "http", "containerPort": 8080}]}]},
        {"containers": [SERVER | {"resources": "all"}]},
        {"containers": [SERVER | {"resources": {"limits": "all"}}]},
        {"containers": [SERVER], "initContainers": [{}]},
        {"containers": [SERVER], "initContainers": "none"},
        {"containers": [SERVER], "volumes": ["none"]},
        {"containers": [SERVER], "volumes": [{"emptyDir": "large"}]},
    ],
)
def test_a_record_that_somebody_spoiled_is_as_good_as_absent(pod: dict[str, Any]) -> None:
    good = stored("aaaaaaaaaa", 1, DATA)
    spoiled = stored("bbbbbbbbbb", 2, RevisionData(pod=pod, asked="first"))
    assert [each.number for each in known_revisions([good, spoiled], "bert")] == [1]
