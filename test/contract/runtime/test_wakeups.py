"""What wakes a key: mapping to owners, predicates, and what can wait."""

from typing import Any

import pytest

from aiop.runtime.client.errors import Expired
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.mappers import owner_keys, spec_or_metadata_changed
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta, OwnerReference
from support.clock import settle
from support.controllerbench import Watching, by_label, running
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget


@pytest.mark.promise("S22")
async def test_what_changes_now_goes_before_what_the_first_list_brought() -> None:
    bench = Watching(ScriptedSource([page(1, *(widget(f"old-{number}", 1) for number in range(5)))]))
    async with running_informer(bench.informer):
        bench.source.say(added(widget("new", 2)))
        await settle()
        async with running(bench):
            assert bench.reconciler.names()[0] == "new"
            assert len(bench.reconciler.passes) == 6


@pytest.mark.promise("S22")
async def test_what_a_resync_repeats_waits_behind_what_changes_now() -> None:
    """controller-runtime knows such an update by its resourceVersion; here both states have to be equal, since an own
    delete that shows in the cache changes an object and not its version.
    """
    bench = Watching(ScriptedSource([page(1, widget("old", 1))]), resync_seconds=60.0)
    async with running_informer(bench.informer):
        async with running(bench):
            assert bench.reconciler.names() == ["old"]
        await bench.informer.clock.advance(70.0)
        bench.source.say(added(widget("new", 2)))
        await settle()
        async with running(bench):
            assert bench.reconciler.names() == ["old", "new", "old"]


@pytest.mark.promise(75, "S31")
async def test_a_change_wakes_the_old_owner_and_the_new_one() -> None:
    bench = Watching(ScriptedSource([page(1, widget("w", 1, labels={"of": "one"}))]), mapper=by_label)
    async with running_informer(bench.informer), running(bench):
        bench.reconciler.passes.clear()
        bench.source.say(modified(widget("w", 2, labels={"of": "two"})))
        await settle()
        assert sorted(bench.reconciler.names()) == ["one", "two"]


def owned_by(name: str, version: int) -> bytes:
    reference = {"apiVersion": "example.com/v1", "kind": "Thing", "name": name, "uid": "u", "controller": True}
    return widget("child", version, ownerReferences=[reference])


@pytest.mark.promise(75, "S31")
async def test_a_child_that_is_handed_over_or_goes_away_wakes_each_owner_that_it_had() -> None:
    mapper = owner_keys("example.com", "Thing")
    bench = Watching(ScriptedSource([page(1, owned_by("one", 1))]), mapper=mapper)
    async with running_informer(bench.informer), running(bench):
        bench.reconciler.passes.clear()
        bench.source.say(modified(owned_by("two", 2)))
        await settle()
        assert sorted(bench.reconciler.names()) == ["one", "two"]
        bench.source.say(modified(widget("child", 3)))
        await settle()
        assert bench.reconciler.names()[2:] == ["two"], "it was let go"
        bench.source.say(modified(owned_by("one", 4)), deleted(owned_by("one", 5)))
        await settle()
        assert set(bench.reconciler.names()[3:]) == {"one"}


def child(*owners: OwnerReference) -> CustomObject:
    return CustomObject(ObjectMeta(name="child", namespace="default", uid="u1", owner_references=owners))


def owner(api_version: str, kind: str = "Thing", *, controller: bool = True) -> OwnerReference:
    return OwnerReference(api_version, kind, "parent", "u9", controller)


@pytest.mark.promise(75, "S31")
@pytest.mark.parametrize("version", ["example.com/v1", "example.com/v2alpha7"])
def test_the_owner_is_found_by_group_and_kind_whatever_the_version(version: str) -> None:
    assert list(owner_keys("example.com", "Thing")(child(owner(version)))) == [ObjectKey("default", "parent")]


@pytest.mark.promise(75, "S31")
@pytest.mark.parametrize(
    "reference",
    [
        owner("other.com/v1"),
        owner("example.com/v1", "Other"),
        owner("example.com/v1", controller=False),
        owner("v1"),
        owner(""),
        owner("a/example.com/v1"),
        owner("/v1"),
    ],
)
def test_an_owner_of_another_kind_or_with_a_nonsense_version_is_none_of_ours(reference: OwnerReference) -> None:
    assert list(owner_keys("example.com", "Thing")(child(reference))) == []


@pytest.mark.promise(75, "S31")
def test_an_owner_in_the_core_group_is_found_too() -> None:
    assert list(owner_keys("", "Pod")(child(owner("v1", "Pod")))) == [ObjectKey("default", "parent")]


@pytest.mark.promise(75, "S31")
def test_a_cluster_scoped_owner_has_no_namespace() -> None:
    mapper = owner_keys("example.com", "Thing", namespaced=False)
    assert list(mapper(child(owner("example.com/v1")))) == [ObjectKey("", "parent")]


@pytest.mark.promise(76, "S32")
async def test_a_recreated_object_of_equal_generation_is_looked_at_again() -> None:
    """kube-rs keys its memory of generations by UID. We keep none: in a gap of the watch another UID is a deletion and
    a birth, and both pass the filter.
    """
    source = ScriptedSource(
        [page(1, widget("one", 1, generation=1))], [page(5, widget("one", 5, uid="new", generation=1))]
    )
    bench = Watching(source, predicate=spec_or_metadata_changed)
    async with running_informer(bench.informer), running(bench):
        source.say(modified(widget("one", 2, generation=1)))
        await settle()
        assert bench.reconciler.names() == ["one"], "the filter works"
        source.fail(Expired(410, "Expired"))
        await bench.informer.clock.advance(60.0)
        assert bench.reconciler.names() == ["one", "one"]


@pytest.mark.promise(77, "S32")
async def test_a_deletion_passes_the_generation_filter() -> None:
    source = ScriptedSource([page(1, widget("one", 1, generation=1))])
    bench = Watching(source, predicate=spec_or_metadata_changed)
    async with running_informer(bench.informer), running(bench):
        dying: dict[str, Any] = {"generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}
        source.say(modified(widget("one", 2, **dying)))
        await settle()
        assert bench.reconciler.names() == ["one", "one"]
        source.say(deleted(widget("one", 3, **dying)))
        await settle()
        assert bench.reconciler.names() == ["one", "one", "one"]


@pytest.mark.promise("S32")
async def test_what_the_filter_refuses_is_in_the_cache_all_the_same() -> None:
    source = ScriptedSource([page(1, widget("one", 1, generation=1))])
    bench = Watching(source, predicate=spec_or_metadata_changed)
    async with running_informer(bench.informer), running(bench):
        source.say(modified(widget("one", 2, generation=1)))
        await settle()
        assert bench.reconciler.names() == ["one"]
        assert bench.informer.version("one") == "2"
