"""The bench's reader of an API server's audit log."""

import json
from pathlib import Path

from hack.bench.audit import AuditLog, in_words


def event(resource: str, *, user: str = "operator", second: int = 0, code: int = 201, subresource: str = "") -> str:
    """A line of the log."""
    return json.dumps(
        {
            "kind": "Event",
            "stage": "ResponseComplete",
            "verb": "create",
            "user": {"username": user, "groups": ["any"]},
            "objectRef": {"resource": resource, "subresource": subresource, "namespace": "default", "name": "one"},
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": f"2026-01-01T00:00:{second:02d}.000000Z",
            "stageTimestamp": f"2026-01-01T00:00:{second:02d}.250000Z",
        }
    )


def test_an_event_that_is_half_written_is_read_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    log = AuditLog(file, "operator")
    line = event("services")
    file.write_text(f"{line}\n{line[:20]}")
    assert [write.resource for write in log.read()] == ["services"]
    file.write_text(f"{line}\n{event('deployments')}\n")
    assert [write.resource for write in log.read()] == ["services", "deployments"]


def test_a_rotated_log_is_read_on(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    log = AuditLog(file, "operator")
    file.write_text(f"{event('services')}\n")
    log.read()
    with file.open("a") as more:
        more.write(f"{event('pods', second=1)}\n")
    file.rename(tmp_path / "audit-2026-01-01T00-00-02.000.log")
    file.write_text(f"{event('ingresses', second=2)}\n")
    assert [write.resource for write in log.read()] == ["services", "pods", "ingresses"]


def test_only_the_user_s_successful_writes_of_workloads_are_done(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    lines = [
        event("services"),
        event("services", user="another"),
        event("services", code=409),
        event("leases"),
        event("aiworkloads", subresource="status"),
    ]
    file.write_text("\n".join(lines) + "\n")
    log = AuditLog(file, "operator")
    assert in_words(log.done()) == "1 create aiworkloads/status, 1 create services"
    assert (
        in_words(log.read())
        == "1 create aiworkloads/status, 1 create leases, 1 create services, 1 create services (409)"
    )
    assert log.writes[0].answered - log.writes[0].received == 0.25
