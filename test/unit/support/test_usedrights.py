"""Rights beside an audit log: what was granted for nothing, and what was asked for in vain."""

import json
from pathlib import Path
from typing import Any

from support.usedrights import Right, Use, beyond, unused, used

ROBOT = "system:serviceaccount:aiop-system:aiop"
LIST_PODS = Right("list", "", "pods")
WATCH_PODS = Right("watch", "", "pods")


def line(verb: str, code: int, user: str = ROBOT, **target: str) -> str:
    event: dict[str, Any] = {"verb": verb, "user": {"username": user}, "responseStatus": {"code": code}}
    if target:
        event["objectRef"] = target
    return json.dumps({**event, "requestURI": "/version?timeout=5s"})


def told(tmp_path: Path, *lines: str) -> Use:
    log = tmp_path / "audit.log"
    log.write_text("\n".join(lines))
    return used(log, ROBOT)


def test_what_was_answered_well_is_used_and_what_was_forbidden_is_not(tmp_path: Path) -> None:
    use = told(
        tmp_path,
        line("watch", 200, resource="pods", namespace="red"),
        line("patch", 200, resource="widgets", apiGroup="example.com", subresource="status", namespace="red"),
        line("list", 403, resource="pods"),
        line("get", 404, resource="services", namespace="red"),
        line("create", 201, user="somebody", resource="secrets", namespace="red"),
        line("get", 200),
        '{"verb": "cut off in the mid',
    )
    assert use.rights == {WATCH_PODS._replace(namespace="red"), Right("patch", "example.com", "widgets/status", "red")}
    assert use.forbidden == {LIST_PODS}
    assert use.paths == {"/version"}


def test_a_right_that_nobody_used_is_named() -> None:
    use = Use(frozenset({WATCH_PODS._replace(namespace="red")}), frozenset(), frozenset())
    assert unused({LIST_PODS, WATCH_PODS}, use) == ["list pods"]
    elsewhere = Right("watch", "", "pods", "blue")
    assert unused({elsewhere}, use) == ["watch pods in blue"]
    assert unused({Right("get", "apps", "deployments")}, use) == ["get deployments.apps"]


def test_a_right_that_was_never_granted_is_named_and_one_that_was_is_not() -> None:
    in_red = LIST_PODS._replace(namespace="red")
    use = Use(frozenset(), frozenset({in_red}), frozenset())
    assert beyond({WATCH_PODS}, use) == ["list pods in red"]
    assert beyond({LIST_PODS}, use) == []
    assert beyond({in_red}, use) == []
