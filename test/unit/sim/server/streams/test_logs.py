"""`kubectl logs` of pods that are processes."""

import re

from support.embedded import following
from support.kubectl import eventually
from unit.sim.server.streams.conftest import Pods

LINES = "echo one; echo two; echo three; sleep 1000"


def test_a_log_is_told_whole_by_its_end_and_by_its_beginning(kubectl: Pods) -> None:
    kubectl.pod("a", LINES)
    eventually(lambda: kubectl.run("logs", "a").stdout.endswith("three\n"))
    assert kubectl("logs", "a") == "one\ntwo\nthree\n"
    assert kubectl("logs", "a", "--tail=1") == "three\n"
    assert kubectl("logs", "a", "--tail=0") == ""
    assert kubectl("logs", "a", "--limit-bytes=5") == "one\nt"
    assert kubectl("logs", "a", "--since=1h") == "one\ntwo\nthree\n"
    assert kubectl("logs", "a", "--since-time=2040-01-01T00:00:00Z") == ""
    stamped = kubectl("logs", "a", "--timestamps").splitlines()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (one|two|three)", line) for line in stamped)


def test_a_log_is_followed_until_its_container_ends(kubectl: Pods) -> None:
    # The container ends as soon as the command has: that has its own exit code all the same.
    told = "until test -s $HOME/go; do sleep 0.1; done; while kill -0 $(cat $HOME/go); do sleep 0.02; done"
    kubectl.pod("a", f"echo one; {told} 2>/dev/null; echo two", restartPolicy="Never")
    with following(kubectl, "logs", "-f", "a") as lines:
        eventually(lambda: lines == ["one"], told=lambda: lines)
        kubectl("exec", "a", "--", "sh", "-c", "echo $$ > $HOME/told; mv $HOME/told $HOME/go")
        eventually(lambda: lines == ["one", "two"], told=lambda: lines)
    assert kubectl("logs", "-f", "a") == "one\ntwo\n"


def test_the_log_of_the_run_before_is_kept(kubectl: Pods) -> None:
    again = 'if test -e "$HOME/again"; then echo second; sleep 1000; fi; touch "$HOME/again"; echo first; exit 3'
    kubectl.pod("a", again, wait="")
    eventually(lambda: kubectl.run("logs", "a").stdout == "second\n", told=lambda: kubectl("get", "pods", "-o", "yaml"))
    assert kubectl("logs", "a", "--previous") == "first\n"


def test_each_container_has_its_log_and_the_first_is_the_default(kubectl: Pods) -> None:
    kubectl.pod("a", LINES, more=[{"name": "side", "image": "shell:1", "args": ["echo aside; sleep 1000"]}])
    eventually(lambda: kubectl.run("logs", "a", "-c", "side").stdout == "aside\n")
    eventually(lambda: kubectl.run("logs", "a").stdout == "one\ntwo\nthree\n")
    assert "[pod/a/side] aside" in kubectl("logs", "a", "--all-containers", "--prefix")
    assert "aside" in kubectl("logs", "-l", "app=a", "--all-containers")


def test_a_log_since_long_before_it_began_is_told_whole(kubectl: Pods) -> None:
    kubectl.pod("a", "echo one; sleep 1000")
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/a/log?sinceSeconds=99999999999999"
    eventually(lambda: kubectl("get", "--raw", path) == "one\n")


def test_what_cannot_be_told_is_said(kubectl: Pods) -> None:
    kubectl.pod("a", LINES)
    assert "container none is not valid for pod a" in kubectl.refusal("logs", "a", "-c", "none")
    assert 'previous terminated container "main" in pod "a" not found' in kubectl.refusal("logs", "a", "-p")
    assert 'pods "b" not found' in kubectl.refusal("logs", "b")
    kubectl.pod("missing", "", wait="", more=[{"name": "second", "image": "no-such-image:1"}])
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/a/log"
    assert "tailLines" in kubectl.refusal("get", "--raw", f"{path}?tailLines=-1")
    assert "sinceTime" in kubectl.refusal("get", "--raw", f"{path}?sinceTime=yesterday")
    assert "sinceTime" in kubectl.refusal("get", "--raw", f"{path}?sinceTime=0001-01-01T00:00:00%2B01:00")
    assert "at most one of" in kubectl.refusal("get", "--raw", f"{path}?sinceTime=2040-01-01T00:00:00Z&sinceSeconds=1")
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "waits"},
            "spec": {
                "containers": [{"name": "main", "image": "shell:1"}],
                "initContainers": [{"name": "first", "image": "shell:1", "args": ["sleep 1000"]}],
            },
        }
    )
    eventually(lambda: "waiting to start: PodInitializing" in kubectl.refusal("logs", "waits", "-c", "main"))


def test_a_simulated_pod_is_said_to_be_one(kubectl: Pods) -> None:
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "dream"},
            "spec": {"containers": [{"name": "main", "image": "serve:1"}]},
        }
    )
    kubectl("wait", "--for=condition=Ready", "pod/dream", "--timeout=60s")
    assert 'the pod "dream" is simulated: no process runs for it' in kubectl.refusal("logs", "dream")
    assert 'the pod "dream" is simulated' in kubectl.refusal("exec", "dream", "--", "true")
    assert 'the pod "dream" is simulated' in kubectl.refusal("port-forward", "dream", "8080")
