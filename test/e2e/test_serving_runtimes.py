"""Runtimes of an administrator's own: which one is taken, and what a change of it does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.workloads import wait_for, workload

FRAMEWORK = "Parquet"
Runtimes = Callable[..., None]


@pytest.fixture
def runtimes(admin: Kubectl) -> Iterator[Runtimes]:
    """Applies runtimes of the test's framework, and takes them away at the end."""
    made = []

    def apply(name: str, image: str, **frameworks: Any) -> None:
        spec = {
            "frameworks": [{"name": FRAMEWORK, **frameworks}],
            "image": image,
            "ports": [{"name": "http", "containerPort": 8080}],
            "model": {"mode": "Mount"},
            "runAsUser": 1000,
        }
        admin.apply(
            {
                "apiVersion": "geartickler.com/v1alpha1",
                "kind": "ServingRuntime",
                "metadata": {"name": name},
                "spec": spec,
            }
        )
        made.append(name)

    yield apply
    for name in dict.fromkeys(made):
        admin("delete", "servingruntime", name)


def runtime_in_force(kubectl: Kubectl, name: str = "demo") -> str:
    versions = kubectl.get("aiworkload", name)["status"]["versions"]
    return str(versions[-1]["runtime"])


def images(kubectl: Kubectl) -> set[str]:
    pods = [pod for pod in kubectl.items("pods") if not pod["metadata"].get("deletionTimestamp")]
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def test_the_highest_priority_wins_and_of_equals_the_newest(kubectl: Kubectl, runtimes: Runtimes) -> None:
    runtimes("zz-older", "server:1", priority=1)
    runtimes("mm-lower", "server:2")
    # The API server's times are of whole seconds.
    created = kubectl.get("servingruntime", "zz-older")["metadata"]["creationTimestamp"]
    runtimes("aa-newest", "server:3", priority=1)
    while kubectl.get("servingruntime", "aa-newest")["metadata"]["creationTimestamp"] == created:
        kubectl("delete", "servingruntime", "aa-newest")
        runtimes("aa-newest", "server:3", priority=1)
    runtimes("zz-older", "server:1b", priority=1)  # a change does not make it newer
    kubectl.apply(workload(framework=FRAMEWORK))
    wait_for(kubectl, "Ready", "True")
    assert runtime_in_force(kubectl) == "aa-newest"
    assert images(kubectl) == {"server:3"}


def test_a_changed_or_better_runtime_leaves_a_pinned_workload_as_it_is(kubectl: Kubectl, runtimes: Runtimes) -> None:
    runtimes("first", "server:1")
    kubectl.apply(workload("pinned", framework=FRAMEWORK))
    kubectl.apply(workload("follows", framework=FRAMEWORK, updatePolicy="Auto"))
    for name in ("pinned", "follows"):
        wait_for(kubectl, "Ready", "True", name=name)
    before = kubectl.get("aiworkload", "pinned")["metadata"]["resourceVersion"]
    runtimes("first", "server:2")
    selector = "geartickler.com/aiworkload"
    eventually(lambda: "server:2" in {_image(pod) for pod in kubectl.items("pods", "-l", f"{selector}=follows")})
    wait_for(kubectl, "Ready", "True", name="follows")
    assert {_image(pod) for pod in kubectl.items("pods", "-l", f"{selector}=pinned")} == {"server:1"}
    assert kubectl.get("aiworkload", "pinned")["metadata"]["resourceVersion"] == before
    runtimes("better", "server:3", priority=9)
    eventually(lambda: runtime_in_force(kubectl, "follows") == "better")
    assert runtime_in_force(kubectl, "pinned") == "first"


def test_a_workload_begins_as_soon_as_the_runtime_that_it_waits_for_appears(
    kubectl: Kubectl, runtimes: Runtimes
) -> None:
    kubectl.apply(workload(framework=FRAMEWORK))
    assert FRAMEWORK in wait_for(kubectl, "Accepted", "False", "NoServingRuntime")["message"]
    runtimes("late", "server:1")
    wait_for(kubectl, "Ready", "True")


def _image(pod: Any) -> str:
    return str(pod["spec"]["containers"][0]["image"])
