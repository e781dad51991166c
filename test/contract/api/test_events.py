"""An event is one object that two APIs show, each in its own words."""

from typing import Any

from support.raw_api import RawAPI

OLDER, NEWER = "/api/v1/namespaces/{}/events", "/apis/events.k8s.io/v1/namespaces/{}/events"


def regarding(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "namespace": namespace, "uid": "u-1"}


def newer_event(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "one.1", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/tester",
        "reportingInstance": "tester-0",
        "action": "Test",
        "reason": "Tested",
        "regarding": regarding(namespace),
        "note": "it was tested",
        "type": "Normal",
    }


async def test_an_event_of_the_newer_api_is_read_by_the_older(api: RawAPI, namespace: str) -> None:
    made = await api.post(NEWER.format(namespace), newer_event(namespace))
    assert made.status == 201, made.body
    listed = await api.get(OLDER.format(namespace), fieldSelector="involvedObject.name=one,involvedObject.uid=u-1")
    (found,) = listed.body["items"]
    assert (found["message"], found["reason"], found["reportingComponent"]) == (
        "it was tested",
        "Tested",
        "example.com/tester",
    )
    assert found["metadata"]["uid"] == made.body["metadata"]["uid"]
    assert "note" not in found
    assert "regarding" not in found


async def test_an_event_of_the_older_api_is_read_by_the_newer(api: RawAPI, namespace: str) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "one.2", "namespace": namespace},
        "involvedObject": regarding(namespace),
        "reason": "Tested",
        "message": "it was tested",
        "type": "Warning",
        "count": 2,
        "source": {"component": "tester"},
    }
    assert (await api.post(OLDER.format(namespace), event)).status == 201
    found = (await api.get(f"{NEWER.format(namespace)}/one.2")).body
    assert (found["note"], found["deprecatedCount"], found["deprecatedSource"]["component"]) == (
        "it was tested",
        2,
        "tester",
    )
    assert found["regarding"]["name"] == "one"


async def test_an_event_deleted_in_one_api_is_gone_in_the_other(api: RawAPI, namespace: str) -> None:
    await api.post(NEWER.format(namespace), newer_event(namespace))
    assert (await api.delete(f"{NEWER.format(namespace)}/one.1")).status == 200
    assert (await api.get(f"{OLDER.format(namespace)}/one.1")).status == 404
