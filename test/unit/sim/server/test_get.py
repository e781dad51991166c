"""kubectl get and describe: tables, selectors, formats, and a watch."""

import json
from typing import Any

import pytest
import yaml

from support.embedded import following
from support.kubectl import Kubectl, eventually
from support.workloads import workload

READY = {
    "version": "v1",
    "replicas": 2,
    "readyReplicas": 2,
    "url": "http://iris.test",
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Available",
            "message": "all is well",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
        }
    ],
}


def with_status(kubectl: Kubectl, name: str = "demo", status: dict[str, Any] | None = None) -> None:
    """Say in the workload's status, as the operator would, that it is ready."""
    patch = json.dumps({"status": status or READY})
    kubectl("patch", "aiworkload", name, "--subresource=status", "--type=merge", "-p", patch)


def test_the_table_has_the_printer_columns_of_the_definition(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    with_status(kubectl)
    head, row = kubectl("get", "aiw").splitlines()
    assert head.split() == ["NAME", "READY", "REASON", "VERSION", "REPLICAS", "URL", "AGE"]
    assert row.split()[:-1] == ["demo", "True", "Available", "v1", "2", "http://iris.test"]
    assert row.split()[-1].endswith("s")


def test_wide_adds_the_columns_of_low_priority(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    with_status(kubectl)
    head, row = kubectl("get", "aiworkloads", "-o", "wide").splitlines()
    assert head.split()[-2:] == ["MESSAGE", "AGE"]
    assert "all is well" in row


def test_json_and_yaml_give_the_same_object(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    as_json = json.loads(kubectl("get", "aiworkload", "demo", "-o", "json"))
    assert as_json == yaml.safe_load(kubectl("get", "aiworkload", "demo", "-o", "yaml"))
    assert as_json["spec"]["modelName"] == "iris"


def test_all_namespaces_are_shown_with_their_names(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    rows = [line.split()[:2] for line in kubectl("get", "aiworkloads", "-A", "--no-headers").splitlines()]
    assert [kubectl.namespace, "demo"] in rows


def test_a_label_selector_narrows_the_list(kubectl: Kubectl) -> None:
    for name in ("one", "two"):
        kubectl.apply({**workload(name), "metadata": {"name": name, "labels": {"team": name}}})
    assert kubectl("get", "aiw", "-l", "team=two", "-o", "name") == "aiworkload.geartickler.com/two\n"
    assert kubectl("get", "aiw", "-l", "team in (one, two),team!=two", "-o", "name").endswith("/one\n")


def test_a_field_selector_narrows_the_list(kubectl: Kubectl) -> None:
    kubectl.apply(workload("one"))
    kubectl.apply(workload("two"))
    assert kubectl("get", "aiw", "--field-selector", "metadata.name=two", "-o", "name").endswith("/two\n")
    assert "field label not supported" in kubectl.refusal("get", "aiw", "--field-selector", "spec.modelName=iris")


def test_our_category_gets_all_our_kinds(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    assert kubectl("get", "geartickler", "-o", "name").splitlines() == ["aiworkload.geartickler.com/demo"]


def test_a_long_list_comes_in_chunks_and_whole(kubectl: Kubectl) -> None:
    names = [f"demo-{number}" for number in range(5)]
    kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(workload(name)) for name in names))
    rows = kubectl("get", "aiw", "--chunk-size=2", "--no-headers").splitlines()
    assert [row.split()[0] for row in rows] == names


def test_what_does_not_exist_is_not_found(kubectl: Kubectl) -> None:
    assert 'aiworkloads.geartickler.com "ghost" not found' in kubectl.refusal("get", "aiw", "ghost")


def test_a_watch_shows_what_is_added_and_what_changes(kubectl: Kubectl) -> None:
    kubectl.apply(workload("old"))
    with following(kubectl, "get", "aiw", "-w", "--no-headers") as lines:
        eventually(lambda: any(line.startswith("old ") for line in lines), told=lambda: lines)
        kubectl.apply(workload("new"))
        eventually(lambda: any(line.startswith("new ") for line in lines), told=lambda: lines)
        with_status(kubectl, "old")
        eventually(lambda: any(line.startswith("old ") and "Available" in line for line in lines), told=lambda: lines)


def test_a_watch_ends_when_its_time_is_up(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    assert kubectl("get", "aiw", "-w", "-o", "name", "--request-timeout=2s").startswith("aiworkload")


def test_a_watch_says_whether_an_object_came_or_went(kubectl: Kubectl) -> None:
    with following(kubectl, "get", "aiw", "-w", "--output-watch-events", "--no-headers") as lines:
        kubectl.apply(workload())
        eventually(lambda: any(line.split()[:2] == ["ADDED", "demo"] for line in lines), told=lambda: lines)
        kubectl("delete", "aiw", "demo")
        eventually(lambda: any(line.split()[:2] == ["DELETED", "demo"] for line in lines), told=lambda: lines)


@pytest.mark.parametrize("query", ["limit=many", "watch=true&timeoutSeconds=long", "continue=nonsense"])
def test_a_query_that_makes_no_sense_is_a_bad_request(kubectl: Kubectl, query: str) -> None:
    assert "(BadRequest)" in kubectl.refusal("get", "--raw", f"/api/v1/nodes?{query}")
