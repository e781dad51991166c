"""The demo's whole story on the embedded cluster, and the shorter ones on others, as a newcomer types them."""

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.controlplane.launch import ControlPlane
from support.demoprocess import Demo
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.replicas import is_ready
from support.workloads import models_volume

SAMPLES = ("bert-sentiment", "iris", "llama")
BOUND_SECONDS = 300
# What each step says, seconds and names aside.
STORY = (
    r"✓ 1\. All samples are Ready; 2 servers serve bert-base-uncased v1\.0\.0  [0-9.]+ s",
    r"✓ 2\. Prediction: “What a wonderful day” is positive \(\d+%\)  [0-9.]+ s",
    r"✓ 3\. Load rose to \d+ requests a second: 2 → [345] servers  [0-9.]+ s",
    r"✓ 4\. v1\.1\.0 took v1\.0\.0's place under load: \d+ requests, 0 failed  [0-9.]+ s",
    r"✓ 5\. bert-sentiment-\S+ was killed \(kill -9\) and is back; meanwhile \d+ requests, 0 failed  [0-9.]+ s",
    r"✓ 6\. v1\.2\.0 is damaged: v1\.1\.0 goes on serving, \d+ requests, 0 failed  [0-9.]+ s",
    r"✓ 7\. modelVersion is v1\.1\.0 again: Ready, \d+ requests, 0 failed  [0-9.]+ s",
)


def steps_of(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith(("✓", "✗"))]


def is_the_story(printed: str) -> bool:
    told = steps_of(printed)
    return len(told) == len(STORY) and all(map(re.fullmatch, STORY, told))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo whose story is told, and which stays."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        demo.until("Ctrl-C ends the demo")
        yield demo
    finally:
        demo.kill()


def test_once_the_story_is_told_without_a_failed_request_and_nothing_is_left(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--once", "--step")
    try:
        assert demo.ended() == 0, demo.printed
    finally:
        demo.kill()
    assert is_the_story(demo.printed), demo.printed
    match = re.search(r"^Requests: (\d+) answered, 0 failed\.$", demo.printed, re.MULTILINE)
    assert match is not None, demo.printed
    assert int(match[1]) >= 100
    assert "Try, in another terminal" not in demo.printed
    assert demo.helpers() == []
    assert list(demo.temporary.iterdir()) == []


def test_the_output_names_the_stand_in_and_what_is_wrong_with_the_damaged_version(told: Demo) -> None:
    assert is_the_story(told.printed), told.printed
    assert "bert-base-uncased v1.0.0, a stand-in for BERT" in told.printed
    assert "“I was not disappointed” was negative" in told.printed
    assert re.search(r"Ready: rolling out v1\.2\.0: .* exit code 1 .*model\.onnx .* cannot be loaded", told.printed)


def test_the_curl_lines_that_it_prints_get_a_prediction(told: Demo) -> None:
    lines = re.findall(r"curl http://127\S+/api/v1/predict -d '.*'", told.printed)
    assert len(lines) == 2
    for line in lines:
        _, url, _, body = shlex.split(line)
        with urllib.request.urlopen(url, body.encode(), BOUND_SECONDS) as answer:  # noqa: S310 - http on loopback
            said = json.load(answer)
        assert (said["model"], said["version"], said["label"]) == ("bert-base-uncased", "v1.1.0", "positive")


def test_the_address_in_the_table_answers_too(told: Demo) -> None:
    kubectl = suggested(told.printed, "describe")[:5]
    said = output_of([*kubectl, "get", "aiworkload", "bert-sentiment", "-o", "jsonpath={.status.url}"])
    with urllib.request.urlopen(said, b'{"text": ["I hate it", "I love it"]}', BOUND_SECONDS) as answer:  # noqa: S310 - http on loopback
        assert [each["label"] for each in json.load(answer)["predictions"]] == ["negative", "positive"]


def test_kubectl_reaches_into_its_servers_from_another_terminal(told: Demo) -> None:
    kubectl = suggested(told.printed, "describe")[:5]
    server = server_of(kubectl)
    assert "a stand-in for BERT, is served at http://" in output_of([*kubectl, "logs", server])
    assert output_of([*kubectl, "exec", server, "--", "sh", "-c", "echo $AIOP_MODEL_ID"]) == "bert-base-uncased\n"
    copied = subprocess.run(
        [*kubectl, "exec", "-i", server, "--", "cat"],
        input="typed", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (copied.stdout, copied.returncode) == ("typed", 0), copied.stderr
    ended = subprocess.run([*kubectl, "exec", server, "--", "sh", "-c", "exit 3"], capture_output=True, check=False)
    assert ended.returncode == 3, ended.stderr


@pytest.mark.parametrize("target", ["a server", "the Service"])
def test_a_forwarded_port_leads_to_its_model(told: Demo, target: str) -> None:
    kubectl = suggested(told.printed, "describe")[:5]
    words = [server_of(kubectl), ":8000"] if target == "a server" else ["service/bert-sentiment", ":80"]
    with subprocess.Popen([*kubectl, "port-forward", *words], stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout is not None
            line = forwarding.stdout.readline()
            match = re.fullmatch(r"Forwarding from (127\.0\.0\.1:\d+) -> 8000\n", line)
            assert match is not None, line
            url = f"http://{match[1]}/v2/models/bert-base-uncased"
            for _ in range(3):
                with urllib.request.urlopen(url, timeout=BOUND_SECONDS) as answer:
                    assert json.load(answer)["name"] == "bert-base-uncased"
        finally:
            forwarding.terminate()


def server_of(kubectl: list[str]) -> str:
    """The longest serving of the processes, as `pod/NAME`: load has come and gone, and others start or end."""
    label = "geartickler.com/aiworkload=bert-sentiment"

    def serving() -> list[tuple[str, str]]:
        pods = json.loads(output_of([*kubectl, "get", "pods", "-l", label, "-o", "json"]))["items"]
        return [(pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]) for pod in pods if serves(pod)]

    return f"pod/{min(eventually(serving))[1]}"


def serves(pod: dict[str, Any]) -> bool:
    return is_ready(pod) and "deletionTimestamp" not in pod["metadata"]


def test_the_commands_that_it_suggests_work_and_ctrl_c_ends_it_and_everything_in_it(told: Demo) -> None:
    listed = output_of([word for word in suggested(told.printed, "get") if word != "-w"])
    assert [name for name in SAMPLES if not re.search(rf"^{name} +True ", listed, re.MULTILINE)] == []
    assert "patched" in output_of(suggested(told.printed, "patch"))
    assert "Kind:         AIWorkload" in output_of(suggested(told.printed, "describe"))
    explain = next(shlex.split(line) for line in told.printed.splitlines() if " explain " in line)
    assert "aiworkload/bert-sentiment" in output_of(explain)
    url = next(line.split()[1] for line in told.printed.splitlines() if line.endswith("/metrics"))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http on loopback
        assert b"controller_runtime_reconcile_total" in answer.read()
    assert told.interrupt() == 0, told.printed
    assert "Traceback" not in told.printed
    assert told.helpers() == []
    assert list(told.temporary.iterdir()) == []


def suggested(printed: str, verb: str) -> list[str]:
    """The kubectl line with that verb that the demo suggests, for the kubectl of this environment."""
    line = next(line for line in printed.splitlines() if line.startswith("  kubectl") and f" {verb} " in line)
    return [str(Path(sys.executable).with_name("kubectl")), *shlex.split(line)[1:]]


def output_of(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def demo(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "aiop", "demo", "--once", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND_SECONDS,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", **environment},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ready_in(shown: str) -> int:
    return len(re.findall(r"│ True +│", shown))


def test_the_demo_brings_the_samples_to_ready_on_a_real_control_plane_of_its_own() -> None:
    shown = demo("--cluster", "real")
    assert all(f"│ {name} " in shown for name in SAMPLES), shown
    assert ready_in(shown) == len(SAMPLES), shown
    assert [line[:3] for line in steps_of(shown)] == ["✓ 1", "✓ 2"]
    assert "v1.1.0 took v1.0.0's place" in shown
    assert "Left out: predictions, load and faults." in shown


def test_the_demo_brings_the_samples_to_ready_on_the_cluster_of_the_callers_kubeconfig(tmp_path: Path) -> None:
    with ControlPlane(tmp_path) as plane, kubelets(plane.kubeconfig):
        Kubectl(plane.kubeconfig).apply(models_volume("default-models", "default"))
        shown = demo("--cluster", "current", KUBECONFIG=str(plane.kubeconfig))
        told = {event["reason"] for event in Kubectl(plane.kubeconfig, "default").items("events")}
    assert ready_in(shown) == len(SAMPLES), shown
    assert [line[:3] for line in steps_of(shown)] == ["✓ 1"]
    assert "Left out: everything that changes your cluster further" in shown
    assert "Serving" in told
    assert "NoServingRuntime" not in told, "a new cluster has its default runtimes before the first pass"


def test_the_demo_says_which_kubeconfig_is_missing() -> None:
    command = [sys.executable, "-m", "aiop", "demo", "--once", "--cluster", "current"]
    environment = {**os.environ, "KUBECONFIG": "/nonexistent/kubeconfig"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 1
    assert "there is no kubeconfig at /nonexistent/kubeconfig" in done.stdout.replace("\n", " ")
