"""kubectl scale, edit and patch."""

import json
from pathlib import Path

import pytest

from support.kubectl import Kubectl
from support.workloads import workload
from unit.sim.server.manifests import deployment


def test_scale_changes_the_replicas_of_our_kind(kubectl: Kubectl) -> None:
    kubectl.apply(workload(replicas=1))
    assert kubectl("scale", "aiworkload", "demo", "--replicas=3").endswith("scaled\n")
    assert kubectl.get("aiworkload", "demo")["spec"]["replicas"] == 3


def test_scale_holds_to_the_count_that_it_was_told_to_expect(kubectl: Kubectl) -> None:
    kubectl.apply(workload(replicas=1))
    told = kubectl.refusal("scale", "aiworkload", "demo", "--current-replicas=2", "--replicas=3")
    assert "Expected replicas to be 2, was 1" in told
    assert kubectl.get("aiworkload", "demo")["spec"]["replicas"] == 1


def test_scale_of_a_deployment_starts_and_stops_pods(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("scale", "deployment/web", "--replicas=3")
    kubectl("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")
    kubectl("scale", "deployment/web", "--replicas=0")
    kubectl("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s")
    assert kubectl.items("pods") == []


def test_edit_writes_what_the_editor_left(kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl.apply(workload())
    _editor(tmp_path, monkeypatch, "s/modelVersion: v1/modelVersion: v2/")
    assert kubectl("edit", "aiworkload", "demo").endswith("edited\n")
    assert kubectl.get("aiworkload", "demo")["spec"]["modelVersion"] == "v2"


def test_edit_without_a_change_writes_nothing(
    kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl.apply(workload())
    before = kubectl.get("aiworkload", "demo")
    _editor(tmp_path, monkeypatch, "")
    assert "no changes made" in kubectl.run("edit", "aiworkload", "demo").stderr
    assert kubectl.get("aiworkload", "demo") == before


def test_an_edit_that_makes_no_sense_is_refused(
    kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl.apply(workload(replicas=1))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where kubectl leaves a copy of what was refused
    _editor(tmp_path, monkeypatch, "s/replicas: 1/replicas: -1/")
    assert "is invalid" in kubectl.refusal("edit", "aiworkload", "demo")
    assert kubectl.get("aiworkload", "demo")["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", {"spec": {"modelVersion": "v2"}}),
        ("json", [{"op": "replace", "path": "/spec/modelVersion", "value": "v2"}]),
    ],
)
def test_our_kind_takes_merge_and_json_patches(kubectl: Kubectl, kind: str, patch: object) -> None:
    kubectl.apply(workload())
    kubectl("patch", "aiworkload", "demo", f"--type={kind}", "-p", json.dumps(patch))
    assert kubectl.get("aiworkload", "demo")["spec"]["modelVersion"] == "v2"


def test_a_json_patch_whose_test_fails_changes_nothing(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    patch = [
        {"op": "test", "path": "/spec/modelVersion", "value": "v9"},
        {"op": "replace", "path": "/spec/modelVersion", "value": "v2"},
    ]
    kubectl.refusal("patch", "aiworkload", "demo", "--type=json", "-p", json.dumps(patch))
    assert kubectl.get("aiworkload", "demo")["spec"]["modelVersion"] == "v1"


def test_our_kind_refuses_a_strategic_patch_and_says_what_it_takes(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    told = kubectl.refusal("patch", "aiworkload", "demo", "--type=strategic", "-p", '{"spec": {"replicas": 2}}')
    assert "application/merge-patch+json" in told


def test_a_strategic_patch_of_a_deployment_merges_containers_by_name(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    container = {"name": "side", "image": "side:1"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    kubectl("patch", "deployment", "web", "-p", json.dumps(patch))
    found = kubectl.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert sorted(each["name"] for each in found) == ["main", "side"]


def test_a_patch_of_the_status_leaves_the_spec_alone(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    patch = json.dumps({"spec": {"modelVersion": "v2"}, "status": {"readyReplicas": 1}})
    kubectl("patch", "aiworkload", "demo", "--subresource=status", "--type=merge", "-p", patch)
    live = kubectl.get("aiworkload", "demo")
    assert (live["spec"]["modelVersion"], live["status"]["readyReplicas"]) == ("v1", 1)
    assert live["metadata"]["generation"] == 1


def test_label_and_annotate_reach_the_metadata(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    kubectl("label", "aiworkload", "demo", "team=vision")
    kubectl("annotate", "aiworkload", "demo", "note=mine")
    metadata = kubectl.get("aiworkload", "demo")["metadata"]
    assert (metadata["labels"]["team"], metadata["annotations"]["note"]) == ("vision", "mine")


def _editor(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    editor = folder / "editor.sh"
    editor.write_text(f"#!/bin/sh\nexec sed -i '{script}' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("KUBE_EDITOR", str(editor))
