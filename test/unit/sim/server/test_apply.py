"""kubectl apply, by the client and by the server."""

import json
from typing import Any

from support.kubectl import Kubectl
from support.workloads import workload
from unit.sim.server.manifests import config_map, deployment

SERVER_SIDE = ("apply", "--server-side", "-f", "-")


def server_side(kubectl: Kubectl, obj: dict[str, Any], *arguments: str) -> str:
    return kubectl(*SERVER_SIDE, *arguments, stdin=json.dumps(obj))


def test_apply_creates_then_configures_then_leaves_alone(kubectl: Kubectl) -> None:
    assert kubectl.apply(workload()).endswith("created\n")
    assert kubectl.apply(workload(modelVersion="v2")).endswith("configured\n")
    before = kubectl.get("aiworkload", "demo")
    assert kubectl.apply(workload(modelVersion="v2")).endswith("unchanged\n")
    assert kubectl.get("aiworkload", "demo") == before
    assert (before["spec"]["modelVersion"], before["metadata"]["generation"]) == ("v2", 2)


def test_apply_removes_what_the_manifest_no_longer_says(kubectl: Kubectl) -> None:
    kubectl.apply(workload(inferenceEndpoint="/predict"))
    kubectl.apply(workload())
    assert "inferenceEndpoint" not in kubectl.get("aiworkload", "demo")["spec"]


def test_apply_of_a_deployment_merges_containers_by_name(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("set", "env", "deployment/web", "MODE=fast")
    kubectl.apply(deployment("web", image="serve:2"))
    [container] = kubectl.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"]) == ("serve:2", [{"name": "MODE", "value": "fast"}])


def test_a_dry_run_of_the_server_changes_nothing(kubectl: Kubectl) -> None:
    told = kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(workload()))
    assert told == "aiworkload.geartickler.com/demo created (server dry run)\n"
    assert kubectl.items("aiworkloads") == []


def test_diff_shows_the_lines_that_an_apply_would_change(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    done = kubectl.run("diff", "-f", "-", stdin=json.dumps(workload(modelVersion="v2")))
    assert done.returncode == 1
    assert "-  modelVersion: v1" in done.stdout
    assert "+  modelVersion: v2" in done.stdout


def test_an_unknown_field_is_refused_by_its_name(kubectl: Kubectl) -> None:
    told = kubectl.refusal("apply", "-f", "-", stdin=json.dumps(workload(modelVresion="v2")))
    assert 'strict decoding error: unknown field "spec.modelVresion"' in told
    assert kubectl.items("aiworkloads") == []


def test_an_unknown_field_is_dropped_with_a_warning_if_asked_so(kubectl: Kubectl) -> None:
    manifest = json.dumps(workload(modelVresion="v2"))
    done = kubectl.run("apply", "--validate=warn", "-f", "-", stdin=manifest)
    assert 'Warning: unknown field "spec.modelVresion"' in done.stderr
    assert "modelVresion" not in kubectl.get("aiworkload", "demo")["spec"]


def test_an_unknown_field_of_a_built_in_kind_is_refused_too(kubectl: Kubectl) -> None:
    manifest = deployment("web")
    manifest["spec"]["replcas"] = 2
    told = kubectl.refusal("apply", "-f", "-", stdin=json.dumps(manifest))
    assert 'unknown field "spec.replcas"' in told


def test_a_value_that_breaks_the_schema_is_refused_with_its_field(kubectl: Kubectl) -> None:
    told = kubectl.refusal("apply", "-f", "-", stdin=json.dumps(workload(modelName=None)))
    assert "spec.modelName: Required value" in told


def test_server_side_apply_records_the_fields_of_its_manager(kubectl: Kubectl) -> None:
    assert server_side(kubectl, workload()).endswith("serverside-applied\n")
    [entry] = kubectl.get("aiworkload", "demo", "--show-managed-fields")["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("kubectl", "Apply")
    assert "f:modelName" in entry["fieldsV1"]["f:spec"]


def test_a_field_of_another_manager_is_a_conflict_until_it_is_forced(kubectl: Kubectl) -> None:
    server_side(kubectl, workload(), "--field-manager=alice")
    wanted = workload(modelVersion="v2")
    told = kubectl.refusal(*SERVER_SIDE, "--field-manager=bob", stdin=json.dumps(wanted))
    assert 'conflict with "alice": .spec.modelVersion' in told
    assert kubectl.get("aiworkload", "demo")["spec"]["modelVersion"] == "v1"
    server_side(kubectl, wanted, "--field-manager=bob", "--force-conflicts")
    assert kubectl.get("aiworkload", "demo")["spec"]["modelVersion"] == "v2"
    assert 'conflict with "bob"' in kubectl.refusal(*SERVER_SIDE, "--field-manager=alice", stdin=json.dumps(workload()))


def test_client_side_and_server_side_apply_may_follow_each_other(kubectl: Kubectl) -> None:
    kubectl.apply(config_map("settings", mode="fast"))
    server_side(kubectl, config_map("settings", mode="fast", size="2"))
    kubectl.apply(config_map("settings", mode="slow", size="2"))
    assert kubectl.get("configmap", "settings")["data"] == {"mode": "slow", "size": "2"}


def test_server_side_apply_removes_what_its_manager_no_longer_says(kubectl: Kubectl) -> None:
    server_side(kubectl, config_map("settings", mode="fast", size="2"))
    server_side(kubectl, config_map("settings", mode="fast"))
    assert kubectl.get("configmap", "settings")["data"] == {"mode": "fast"}


def test_server_side_apply_of_an_undeclared_field_is_refused_by_its_name(kubectl: Kubectl) -> None:
    told = kubectl.refusal(*SERVER_SIDE, stdin=json.dumps(workload(modelVresion="v2")))
    assert ".spec.modelVresion: field not declared in schema" in told
