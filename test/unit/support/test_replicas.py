"""Late writes of a replica, read from an audit log: those of a pod whose Lease is another's."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.kubectl import Kubectl
from support.replicas import Replicas, Write, late

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def write(second: float, pod: str, resource: str = "ingresses", *, holder: str = "", code: int = 200) -> Write:
    moment = _BEGAN + timedelta(seconds=second)
    return Write(pod, "patch", resource, "demo", code, moment, moment + timedelta(seconds=0.1), holder)


def claim(second: float, pod: str) -> Write:
    return write(second, pod, "leases", holder=f"{pod}_1")


@pytest.mark.parametrize(
    "deed",
    [
        write(3, "new"),
        write(1, "old"),
        write(2.05, "old"),  # on its way while the other's claim was not answered yet
        write(3, "old", code=409),
        write(3, "old", "events"),
        write(3, "old", "leases", holder="old_1", code=409),
    ],
    ids=["the holder's own", "before", "meanwhile", "refused", "an event", "a claim in vain"],
)
def test_what_is_not_late(deed: Write) -> None:
    assert late([claim(0, "old"), claim(2, "new"), deed]) == []


@pytest.mark.parametrize("last", [claim(2, "new"), write(2, "old", "leases")], ids=["another's", "let go"])
def test_a_deed_of_a_pod_without_the_lease_is_late(last: Write) -> None:
    deed = write(3, "old")
    assert late([claim(0, "old"), last, deed]) == [deed]


def event(second: int) -> str:
    moment = f"2026-01-01T00:00:0{second}.000000Z"
    user = {"username": "system:serviceaccount:aiop-system:aiop"}
    answer = {"stage": "ResponseComplete", "user": user, "verb": "patch", "responseStatus": {"code": 200}}
    return json.dumps({**answer, "requestReceivedTimestamp": moment, "stageTimestamp": moment}) + "\n"


def test_a_story_begins_in_the_log_that_was_put_aside(tmp_path: Path) -> None:
    (tmp_path / "audit-2026-01-01T00-00-02.000.log").write_text(event(1))
    (tmp_path / "audit.log").write_text(event(2))
    story = Replicas(Kubectl(tmp_path / "kubeconfig"), tmp_path / "audit.log").story()
    assert [each.answered.second for each in story] == [1, 2]
