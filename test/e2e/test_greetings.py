"""The controller of the how-to page, as its reader would run it: on `aiop.runtime` alone."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually

FOLDER = Path(__file__).parents[2] / "docs" / "how-to" / "greetings"
PROGRAM = FOLDER / "greetings.py"
STOP_SECONDS = 40


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Iterator[Kubectl]:
    """kubectl where the kind is installed, in a namespace of its own."""
    admin = Kubectl(cluster.kubeconfig)
    admin("apply", "-f", str(FOLDER / "crd.yaml"))
    admin("wait", "--for=condition=Established", "crd/greetings.docs.example.com", "--timeout=120s")
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "greetings"}})
    yield Kubectl(cluster.kubeconfig, "greetings")
    admin("delete", "namespace", "greetings", "--wait=false")
    admin("delete", "-f", str(FOLDER / "crd.yaml"), "--wait=false")


@pytest.fixture(scope="module")
def program(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The running program's log; it ends as it should."""
    log = tmp_path_factory.mktemp("greetings") / "log"
    with log.open("wb") as file:
        known = {**os.environ, "KUBECONFIG": str(kubectl.kubeconfig)}
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], env=known, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        yield log
    finally:
        process.terminate()
        code = process.wait(STOP_SECONDS)
    assert code == 0, log.read_text()


def greeting(name: str, whom: str) -> dict[str, Any]:
    return {"apiVersion": "docs.example.com/v1", "kind": "Greeting", "metadata": {"name": name}, "spec": {"whom": whom}}


def text(kubectl: Kubectl, name: str) -> str:
    found = [each for each in kubectl.items("configmaps") if each["metadata"]["name"] == name]
    return str(found[0].get("data", {}).get("text", "")) if found else ""


def test_it_is_60_lines_long_and_uses_the_runtime_only() -> None:
    source = PROGRAM.read_text()
    assert len(source.splitlines()) <= 60
    imported = {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name.startswith("aiop")} == {
        name for name in imported if name.startswith("aiop.runtime.")
    }


def test_a_greeting_gets_its_text_and_says_that_it_is_ready(kubectl: Kubectl, program: Path) -> None:
    kubectl.apply(greeting("morning", "world"))
    eventually(lambda: text(kubectl, "morning") == "Hello, world!", told=program.read_text)
    kubectl("wait", "--for=condition=Ready", "greeting/morning", "--timeout=120s")
    kubectl.apply(greeting("morning", "moon"))
    eventually(lambda: text(kubectl, "morning") == "Hello, moon!", told=program.read_text)
    status = eventually(lambda: current(kubectl, "morning"), told=program.read_text)
    assert [(each["type"], each["status"], each["reason"]) for each in status] == [("Ready", "True", "Greeted")]


def test_what_is_deleted_or_edited_by_hand_comes_back(kubectl: Kubectl, program: Path) -> None:
    kubectl.apply(greeting("noon", "world"))
    eventually(lambda: text(kubectl, "noon") == "Hello, world!", told=program.read_text)
    kubectl("delete", "configmap", "noon")
    eventually(lambda: text(kubectl, "noon") == "Hello, world!", told=program.read_text)
    kubectl("patch", "configmap", "noon", "--type=merge", "--patch", '{"data": {"text": "Go away"}}')
    eventually(lambda: text(kubectl, "noon") == "Hello, world!", told=program.read_text)


def test_a_strangers_object_is_left_alone_and_named(kubectl: Kubectl, program: Path) -> None:
    kubectl("create", "configmap", "evening", "--from-literal=text=mine")
    kubectl.apply(greeting("evening", "world"))
    status = eventually(lambda: current(kubectl, "evening"), told=program.read_text)
    assert [(each["status"], each["reason"]) for each in status] == [("False", "NameTaken")]
    assert text(kubectl, "evening") == "mine"


def test_the_text_goes_with_its_greeting(kubectl: Kubectl, program: Path) -> None:
    kubectl.apply(greeting("night", "world"))
    eventually(lambda: text(kubectl, "night"), told=program.read_text)
    kubectl("delete", "greeting", "night")
    eventually(lambda: not text(kubectl, "night"), told=program.read_text)


def current(kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
    """The conditions, once they are of the newest generation."""
    found = kubectl.get("greeting", name)
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    newest = found["metadata"]["generation"]
    return conditions if conditions and all(each["observedGeneration"] == newest for each in conditions) else []
