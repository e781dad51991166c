"""Paging, selectors, watching, bookmarks and what is too old."""

import asyncio
import re
import uuid

import pytest

from contract.api.widgets import DEFINITION, GROUP, WAITING_ROUNDS, WAITING_SECONDS, config_map
from support.raw_api import Answer, RawAPI

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


async def make(api: RawAPI, namespace: str, *names: str) -> None:
    for name in names:
        answer = await api.post(maps(namespace), config_map(name, labels={"name": name, "made": "here"}))
        assert answer.status == 201


def names_of(body: dict[str, object]) -> list[str]:
    items = body["items"]
    assert isinstance(items, list)
    return [item["metadata"]["name"] for item in items if item["metadata"]["name"] != "kube-root-ca.crt"]


async def test_a_list_is_sorted_by_name_and_says_its_version(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "c", "a", "b")
    answer = await api.get(maps(namespace))
    assert names_of(answer.body) == ["a", "b", "c"]
    assert int(answer.version) > 0
    assert answer.body["kind"] == "ConfigMapList"


async def test_pages_add_up_to_the_list_as_it_was(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a", "b", "c", "d", "e")
    first = await api.get(maps(namespace), limit="2", labelSelector="made=here")
    await make(api, namespace, "a2")
    token = first.body["metadata"]["continue"]
    second = await api.get(maps(namespace), limit="2", labelSelector="made=here", **{"continue": token})
    token = second.body["metadata"]["continue"]
    third = await api.get(maps(namespace), limit="2", labelSelector="made=here", **{"continue": token})
    assert [names_of(page.body) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert "continue" not in third.body["metadata"]
    assert first.version == second.version == third.version


async def test_a_continue_token_that_makes_no_sense_is_a_bad_request(api: RawAPI, namespace: str) -> None:
    answer = await api.get(maps(namespace), limit="2", **{"continue": "nonsense"})
    assert answer.status == 400


async def test_label_selectors_choose(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a", "b", "c")

    async def chosen(selector: str) -> list[str]:
        return names_of((await api.get(maps(namespace), labelSelector=selector)).body)

    assert await chosen("name=a") == ["a"]
    assert await chosen("made=here,name!=a") == ["b", "c"]
    assert await chosen("name in (a, c)") == ["a", "c"]
    assert await chosen("made,name notin (a,b)") == ["c"]
    assert await chosen("made,!name") == []


async def test_a_selector_that_makes_no_sense_is_a_bad_request(api: RawAPI, namespace: str) -> None:
    assert (await api.get(maps(namespace), labelSelector="a in (")).status == 400
    assert (await api.get(maps(namespace), fieldSelector="data.colour=red")).status == 400


async def test_field_selectors_choose_by_name(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a", "b")
    answer = await api.get(maps(namespace), fieldSelector="metadata.name=b")
    assert names_of(answer.body) == ["b"]


async def test_a_watch_tells_what_happened_since_its_version(api: RawAPI, namespace: str) -> None:
    start = (await api.get(maps(namespace))).version
    await make(api, namespace, "a")
    await api.patch(f"{maps(namespace)}/a", {"data": {"k": "v"}})
    async with api.watch(maps(namespace), resourceVersion=start, labelSelector="made=here") as watch:
        added, modified = await watch.next(), await watch.next()
        await api.delete(f"{maps(namespace)}/a")
        deleted = await watch.next()
    assert [event["type"] for event in (added, modified, deleted)] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in (added, modified, deleted)]
    assert versions == sorted(set(versions))
    assert deleted["object"]["data"] == {"k": "v"}


async def test_a_watch_without_a_version_begins_with_what_is_there(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a", "b")
    async with api.watch(maps(namespace), labelSelector="made=here") as watch:
        seen = [await watch.next(), await watch.next()]
    assert {event["object"]["metadata"]["name"] for event in seen} == {"a", "b"}
    assert {event["type"] for event in seen} == {"ADDED"}


async def test_an_object_that_leaves_the_selector_arrives_as_deleted(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a")
    start = (await api.get(maps(namespace))).version
    async with api.watch(maps(namespace), resourceVersion=start, labelSelector="made=here") as watch:
        await api.patch(f"{maps(namespace)}/a", {"metadata": {"labels": {"made": "elsewhere"}}})
        left = await watch.next()
        await api.patch(f"{maps(namespace)}/a", {"metadata": {"labels": {"made": "here"}}})
        returned = await watch.next()
    assert (left["type"], returned["type"]) == ("DELETED", "ADDED")


async def test_a_watch_ends_when_its_time_is_up(api: RawAPI, namespace: str) -> None:
    start = (await api.get(maps(namespace))).version
    async with api.watch(
        maps(namespace), resourceVersion=start, timeoutSeconds="1", labelSelector="made=here"
    ) as watch:
        assert await watch.next() == {"type": "END"}


async def test_a_watch_list_marks_the_end_of_the_initial_events(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a", "b")
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "labelSelector": "made=here",
    }
    async with api.watch(maps(namespace), **query) as watch:
        events = [await watch.next(bookmarks=True) for _ in range(3)]
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[2]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert events[2]["object"]["kind"] == "ConfigMap"


async def test_a_version_from_the_future_is_refused_in_the_end(api: RawAPI, namespace: str) -> None:
    answer = await api.get(maps(namespace), resourceVersion="99999999", resourceVersionMatch="NotOlderThan")
    assert answer.status == 504
    assert re.search("Too large resource version", answer.body["message"])


async def test_a_version_that_is_no_number_is_refused(api: RawAPI, namespace: str) -> None:
    answer = await api.get(maps(namespace), resourceVersion="soon")
    assert answer.status == 400


async def test_two_watchers_see_the_same(api: RawAPI, namespace: str) -> None:
    start = (await api.get(maps(namespace))).version
    async with (
        api.watch(maps(namespace), resourceVersion=start, labelSelector="made=here") as left,
        api.watch(maps(namespace), resourceVersion=start, labelSelector="made=here") as right,
    ):
        await make(api, namespace, "a", "b")
        seen_left = [await left.next(), await left.next()]
        seen_right = [await right.next(), await right.next()]
    assert seen_left == seen_right


async def test_a_watch_can_show_a_table(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a")
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    answer = await api.call("GET", maps(namespace), accept=accept, labelSelector="made=here")
    assert answer.body["kind"] == "Table"
    assert [column["name"] for column in answer.body["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert answer.body["rows"][0]["cells"][:2] == ["a", 0]


async def test_a_list_can_be_of_metadata_only(api: RawAPI, namespace: str) -> None:
    await make(api, namespace, "a")
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    answer = await api.call("GET", maps(namespace), accept=accept, labelSelector="made=here")
    assert answer.body["kind"] == "PartialObjectMetadataList"
    assert "data" not in answer.body["items"][0]


async def test_a_quiet_watch_stays_open(api: RawAPI, namespace: str) -> None:
    start = (await api.get(maps(namespace))).version
    async with api.watch(maps(namespace), resourceVersion=start, labelSelector="made=here") as watch:
        waiting = asyncio.ensure_future(watch.next())
        await make(api, namespace, "late")
        assert (await waiting)["object"]["metadata"]["name"] == "late"


async def test_a_kind_that_is_withdrawn_deletes_its_objects_and_ends_its_watches(api: RawAPI, namespace: str) -> None:
    kind = f"gadgets{uuid.uuid4().hex[:8]}.{GROUP}"
    plural = kind.partition(".")[0]
    names = {"plural": plural, "singular": plural[:-1], "kind": plural.title(), "listKind": f"{plural.title()}List"}
    spec = {**DEFINITION["spec"], "names": names}
    definition = {**DEFINITION, "metadata": {"name": kind}, "spec": spec}
    assert (await api.post(DEFINITIONS, definition)).status == 201
    path = f"/apis/{GROUP}/v1/namespaces/{namespace}/{plural}"
    served = await until(api, path, 200)
    body = {"apiVersion": f"{GROUP}/v1", "kind": plural.title(), "metadata": {"name": "one"}, "spec": {"size": 1}}
    assert (await api.post(path, body)).status == 201
    async with api.watch(path, resourceVersion=served.version) as watch:
        assert (await watch.next())["type"] == "ADDED"
        await api.delete(f"{DEFINITIONS}/{kind}")
        assert [(await watch.next())["type"] for _ in range(2)] == ["DELETED", "END"]
    await until(api, path, 404)


async def until(api: RawAPI, path: str, status: int) -> Answer:
    """The answer, once it has that status; kinds come and go within moments."""
    for _ in range(WAITING_ROUNDS):
        answer = await api.get(path)
        if answer.status == status:
            return answer
        await asyncio.sleep(WAITING_SECONDS)
    pytest.fail(f"{path} never answered {status}")
