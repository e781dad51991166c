"""`aiop explain` on the real API server: what holds a workload back, with the caller's rights and without the operator.

Every trouble that the conditions name is explained in test_trouble.py, where it is made.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.controlplane import Cluster, with_token
from support.explaining import explained, say, told
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, wait_for, workload

CRASHES = {"image": "registry.example/crashes:1"}


def reason_of(kubectl: Kubectl, name: str = "demo") -> str:
    cause = explained(kubectl, name)["cause"]
    return str(cause["reason"]) if cause else ""


def as_somebody(cluster: Cluster, kubectl: Kubectl, folder: Path, *rights: str) -> Kubectl:
    """kubectl of a ServiceAccount `reader` with a role of that namespace, made by `kubectl create rolebinding …`."""
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "rolebinding", "reader", f"--serviceaccount={kubectl.namespace}:reader", *rights)
    token = kubectl("create", "token", "reader").strip()
    return Kubectl(with_token(cluster.kubeconfig, folder / "reader", token), kubectl.namespace)


def test_a_workload_that_serves_is_held_back_by_nothing(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    assert told(kubectl) == [
        "aiworkload/demo: wanted 1 server of v1; 1 ready, 1 takes requests",
        "cause: nothing holds it back",
        "next: nothing: it is as it should be",
    ]
    found = explained(kubectl)
    assert (found["state"], found["healthy"], found["unread"]) == ("Serving", True, [])
    assert found["operator"]["alive"] is True
    kubectl("scale", "aiworkload", "demo", "--replicas=0")
    wait_for(kubectl, "Ready", "True", "ScaledToZero")
    assert explained(kubectl)["state"] == "ScaledToZero"


def test_a_rollout_under_way_is_told_with_its_deadline(kubectl: Kubectl) -> None:
    kubectl.apply(workload(image="registry.example/server:1"))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(image="registry.example/never-ready:2", modelVersion="v2"))
    wait_for(kubectl, "Progressing", "True", "RollingOut")
    eventually(lambda: explained(kubectl)["servers"]["exist"])
    found = explained(kubectl)
    assert (found["state"], found["cause"]["reason"]) == ("RollingOut", "PodsNotReady")
    assert found["wanted"] == "1 server of v2"
    assert "1 takes requests, 1 of them of another revision" in found["found"]
    assert found["cause"]["at"]


def test_a_spec_that_cannot_be_served_is_told_with_the_fix(kubectl: Kubectl) -> None:
    kubectl.apply(workload(framework="COBOL"))
    wait_for(kubectl, "Accepted", "False", "NoServingRuntime")
    lines = told(kubectl)
    assert len(lines) == 3
    assert "'COBOL'" in lines[1]
    assert "Set spec.framework to one of these" in lines[1]
    assert "nothing is served until then" in lines[2]


def test_a_name_that_is_a_strangers_is_told_with_who_has_it(kubectl: Kubectl) -> None:
    ports = {"ports": [{"port": 80}], "selector": {"app": "other"}}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"}, "spec": ports})
    kubectl.apply(workload())
    wait_for(kubectl, "Degraded", "True", "NameConflict")
    found = explained(kubectl)
    assert (found["cause"]["reason"], found["notes"]) == ("NameConflict", [])
    assert (found["cause"]["source"]["kind"], found["cause"]["source"]["name"]) == ("Service", "demo")


def test_a_path_that_is_anothers_is_told_with_who_has_it(kubectl: Kubectl) -> None:
    pair = ("first", "second")
    for name in pair:
        kubectl.apply(workload(name, inferenceEndpoint=f"/{kubectl.namespace}/predict"))
    # Of two that were made in the same second either may count as the older one.
    (loser,) = eventually(lambda: [name for name in pair if _accepted(kubectl, name) == "PathTaken"])
    (holder,) = {*pair} - {loser}
    wait_for(kubectl, "Available", "True", name=loser)
    found = explained(kubectl, loser)
    assert found["cause"]["reason"] == "PathTaken"
    assert repr(holder) in found["cause"]["message"] or holder in found["cause"]["message"].split()
    assert reason_of(kubectl, holder) != "PathTaken"


def _accepted(kubectl: Kubectl, name: str) -> str:
    return str(conditions(kubectl, name).get("Accepted", {}).get("reason"))


def test_who_may_view_a_namespace_may_explain_all_that_is_in_it(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubectl.apply(workload(**CRASHES))
    wait_for(kubectl, "Degraded", "True", "CrashLoop")
    reader = as_somebody(cluster, kubectl, tmp_path, "--clusterrole=view")
    found = explained(reader)
    assert (found["cause"]["reason"], found["notes"]) == ("CrashLoop", [])
    # These belong to no namespace; nothing of this cause depends on them.
    assert [each["resource"] for each in found["unread"]] == ["servingruntimes"]
    assert found["operator"]["alive"] is None


def test_who_may_read_the_workload_alone_is_told_what_its_conditions_say(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubectl.apply(workload(**CRASHES))
    wait_for(kubectl, "Degraded", "True", "CrashLoop")
    kubectl("create", "role", "reader", "--verb=get", "--resource=aiworkloads.geartickler.com")
    reader = as_somebody(cluster, kubectl, tmp_path, "--role=reader")
    found = explained(reader)
    assert found["cause"]["reason"] == "CrashLoop"
    assert found["cause"]["source"]["part"] == "condition Degraded"
    assert {"pods", "deployments", "events", "services"} <= {each["resource"] for each in found["unread"]} | {"events"}
    assert any("without controllerrevisions, deployments" in note for note in found["notes"])


def test_who_may_read_nothing_is_told_which_right_is_missing(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
    reader = as_somebody(cluster, kubectl, tmp_path, "--role=reader")
    said = say("aiw/demo", "--kubeconfig", str(reader.kubeconfig), "-n", kubectl.namespace)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "you may not read the AIWorkload 'demo'" in said.err
    assert "the role view" in said.err


def test_what_a_container_says_moves_no_cursor_and_forges_no_line(kubectl: Kubectl) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07bad\nnote: all is well\u202e" + "A" * 3000
    spec = workload(**CRASHES)
    kubectl.apply(spec)
    wait_for(kubectl, "Degraded", "True", "CrashLoop")
    (pod,) = kubectl.items("pods")
    ended: dict[str, Any] = {"exitCode": 1, "reason": "Er\x1b[31mror", "message": hostile}
    status = {
        **pod["status"]["containerStatuses"][0],
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": hostile}},
        "lastState": {"terminated": {**ended, "startedAt": None, "finishedAt": None, "containerID": ""}},
    }
    patch = {"status": {"containerStatuses": [status]}}
    name = pod["metadata"]["name"]
    kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps(patch))
    lines = told(kubectl)
    assert len(lines) <= 4
    assert all(line.isprintable() and len(line) < 1200 for line in lines)


def test_kubectl_finds_the_plugin_on_the_path(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    installed = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"}

    def plugin(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed / "kubectl"), *words],
            capture_output=True, text=True, check=False, timeout=60, env=environment,
        )  # fmt: skip

    listed = plugin("plugin", "list")
    assert str(installed / "kubectl-aiop") in listed.stdout.splitlines(), listed.stderr
    given = ("--kubeconfig", str(kubectl.kubeconfig), "-n", kubectl.namespace)
    found = plugin("aiop", "explain", "aiw", "demo", *given)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines()[1] == "cause: nothing holds it back"
    missing = plugin("aiop", "explain", "aiw", "nosuch", *given)
    assert missing.returncode == 1
    assert missing.stderr.startswith("kubectl aiop explain: there is no AIWorkload 'nosuch'")


def test_without_the_operator_the_same_cause_is_found_and_its_silence_told(
    kubectl: Kubectl, operator: Operator
) -> None:
    kubectl.apply(workload("serves"))
    wait_for(kubectl, "Ready", "True", name="serves")
    kubectl.apply(workload("crashes", replicas=1))
    wait_for(kubectl, "Ready", "True", name="crashes")
    operator.kill()
    try:
        kubectl.apply(workload("unseen"))
        kubectl.apply(workload("serves", modelVersion="v2"))
        kubectl("delete", "pods", "-l", "geartickler.com/aiworkload=crashes", "--wait=false")
        assert reason_of(kubectl, "unseen") == "OperatorSilent"
        changed = explained(kubectl, "serves")
        assert (changed["cause"]["reason"], changed["servers"]["takeRequests"]) == ("OperatorSilent", 1)
        assert "generation 2" in changed["cause"]["message"]
        # The Lease tells once it has run out.
        lines = eventually(lambda: [each for each in told(kubectl, "unseen") if "the operator is down" in each])
        assert "its Lease has not been renewed for" in lines[0]
    finally:
        operator.start()
    wait_for(kubectl, "Ready", "True", name="unseen")


@pytest.mark.parametrize("output", ["text", "json"])
def test_an_object_that_is_not_there_is_named(kubectl: Kubectl, output: str) -> None:
    said = say("aiw/nosuch", "--kubeconfig", str(kubectl.kubeconfig), "-n", kubectl.namespace, "-o", output)
    assert (said.code, said.out) == (1, "")
    assert f"there is no AIWorkload 'nosuch' in the namespace '{kubectl.namespace}'" in said.err
