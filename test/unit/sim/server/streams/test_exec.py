"""`kubectl exec` in pods that are processes."""

import os
import pty
from pathlib import Path

from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config
from kubernetes.stream import stream

from support.embedded import KUBECTL
from support.kubectl import eventually
from unit.sim.server.streams.conftest import Pods

SLEEPS = "sleep 1000"


def test_a_command_has_its_streams_and_its_exit_code(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    done = kubectl.run("exec", "a", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr.startswith("err\n")
    assert kubectl("exec", "a", "--", "echo", "a b", "$HOME") == "a b $HOME\n"


def test_input_is_read_to_its_end(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    assert kubectl("exec", "-i", "a", "--", "tr", "a-z", "A-Z", stdin="hello\n") == "HELLO\n"
    large = "x" * 3_000_000
    assert kubectl("exec", "-i", "a", "--", "wc", "-c", stdin=large).strip() == "3000000"
    assert kubectl("exec", "a", "--", "cat") == ""


def test_much_output_comes_whole(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    assert len(kubectl("exec", "a", "--", "head", "-c", "5000000", "/dev/zero")) == 5_000_000


def test_files_are_copied_in_and_out(kubectl: Pods, tmp_path: Path) -> None:
    kubectl.pod("a", SLEEPS)
    (tmp_path / "in").write_bytes(bytes(range(256)) * 100)
    home = kubectl("exec", "a", "--", "sh", "-c", "echo $HOME").strip()
    kubectl("cp", str(tmp_path / "in"), f"a:{home}/there")
    kubectl("cp", f"a:{home}/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "in").read_bytes()


def test_files_are_copied_into_a_mount_and_out_of_it(kubectl: Pods, tmp_path: Path) -> None:
    inner = {"name": "more", "image": "shell:1", "args": [SLEEPS], "volumeMounts": [
        {"name": "data", "mountPath": "/var/data"}, {"name": "other", "mountPath": "/var/data/inner"}]}  # fmt: skip
    kubectl.pod(
        "a", SLEEPS, more=[inner], volumes=[{"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]
    )
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "file").write_text("hello")
    for to in ("/var/data/there", "/var/data/inner/there"):
        kubectl("cp", "-c", "more", str(tmp_path / "in"), f"a:{to}")
        back = tmp_path / to.replace("/", "-")
        kubectl("cp", "-c", "more", f"a:{to}", str(back))
        assert (back / "deep" / "file").read_text() == "hello"
    kubectl("cp", "-c", "more", "a:/var/data/there/deep/file", str(tmp_path / "one"))
    assert (tmp_path / "one").read_text() == "hello"
    kubectl("cp", "-c", "more", "a:/var/data", str(tmp_path / "all"))
    assert (tmp_path / "all" / "there" / "deep" / "file").read_text() == "hello"


def test_a_container_is_chosen_and_a_wrong_one_named(kubectl: Pods) -> None:
    env = [{"name": "WHO", "value": "side"}]
    side = {"name": "side", "image": "shell:1", "args": [SLEEPS], "env": env}
    kubectl.pod("a", SLEEPS, more=[side])
    assert kubectl("exec", "a", "-c", "side", "--", "sh", "-c", "echo $WHO") == "side\n"
    assert "container none is not valid for pod a" in kubectl.refusal("exec", "a", "-c", "none", "--", "true")
    assert 'pods "b" not found' in kubectl.refusal("exec", "b", "--", "true")


def test_a_command_that_is_not_there_and_a_container_that_does_not_run_are_named(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    assert "no-such-command" in kubectl.refusal("exec", "a", "--", "no-such-command")
    first = {"name": "first", "image": "shell:1", "args": [SLEEPS]}
    kubectl.pod("waits", SLEEPS, wait="jsonpath={.status.podIP}", initContainers=[first])
    refusal = kubectl.refusal("exec", "waits", "-c", "main", "--", "true")
    assert 'container "main" of pod "waits" does not run' in refusal


def test_attach_says_what_to_do_instead(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    assert "kubectl logs -f" in kubectl.refusal("attach", "a")


def test_debug_says_what_to_do_instead(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    refusal = kubectl.refusal("debug", "a", "--image=shell:1")
    assert "adds no container to a pod that runs" in refusal
    assert "kubectl exec" in refusal
    assert "kubectl apply" in kubectl.refusal("debug", "a", "--image=shell:1", "--copy-to=b")
    unknown = kubectl.refusal("get", "--raw", f"/api/v1/namespaces/{kubectl.namespace}/pods/a/nothing")
    assert "the server could not find the requested resource" in unknown


def test_run_shows_the_log_where_it_cannot_attach(kubectl: Pods) -> None:
    pod = ("run", "once", "-i", "--image=shell:1", "--restart=Never", "--", "echo hello")
    done = kubectl.run(*pod)
    assert done.returncode == 0
    assert "falling back to streaming logs" in done.stderr
    eventually(lambda: kubectl.run("logs", "once").stdout == "hello\n")


def test_what_processes_use_is_told_by_top(kubectl: Pods) -> None:
    kubectl.pod("busy", "while :; do :; done")
    eventually(lambda: kubectl.run("top", "pods").returncode == 0)
    path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{kubectl.namespace}/pods/busy"
    eventually(lambda: int(kubectl.raw(path)["containers"][0]["usage"]["cpu"].rstrip("n")) > 50_000_000)
    assert "busy" in kubectl("top", "pods")
    kubectl("delete", "pod", "busy", "--now")


def test_the_python_client_runs_commands_too(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    api = CoreV1Api(new_client_from_config(str(kubectl.kubeconfig)))  # type: ignore[no-untyped-call]
    command = ["sh", "-c", "echo out; echo err >&2; exit 7"]
    found = stream(
        api.connect_get_namespaced_pod_exec, "a", kubectl.namespace, command=command,
        stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False,
    )  # fmt: skip
    found.run_forever(timeout=60)
    assert (found.read_stdout(), found.read_stderr(), found.returncode) == ("out\n", "err\n", 7)
    found.sock.shutdown()  # its own close leaves the socket to the garbage collector
    api.api_client.close()


def test_a_command_gets_a_terminal_where_kubectl_has_one(kubectl: Pods) -> None:
    kubectl.pod("a", SLEEPS)
    told = bytearray()

    def read(descriptor: int) -> bytes:
        told.extend(piece := os.read(descriptor, 1000))
        return piece

    arguments = ["--kubeconfig", str(kubectl.kubeconfig), "-n", kubectl.namespace]
    status = pty.spawn([str(KUBECTL), *arguments, "exec", "-it", "a", "--", "sh", "-c", "tty; exit 5"], read)
    assert os.waitstatus_to_exitcode(status) == 5
    assert b"/dev/pts/" in told
