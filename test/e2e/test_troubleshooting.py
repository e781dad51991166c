"""Troubleshooting by symptom: what the page says that a message has, the real API server and scheduler say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.pages import text_of
from support.workloads import conditions, models_claim, models_volume, wait_for, workload

PAGE = {section.partition("\n")[0]: section for section in text_of("docs/how-to/troubleshooting.md").split("\n## ")[1:]}
NAMESPACE, SMALL_NAMESPACE = "troubled", "troubled-quota"
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "small"},
    "spec": {"hard": {"limits.cpu": "2", "services.loadbalancers": "0"}},
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """``section`` of the page, the condition with its reason, and ``words`` that the page quotes of its message."""

    section: str
    condition: tuple[str, str, str]
    words: str
    spec: dict[str, Any] = field(default_factory=dict)
    namespace: str = NAMESPACE

    @property
    def name(self) -> str:
        """The AIWorkload that has it."""
        return re.sub(r"[^a-z]+", "-", f"{self.section} {self.words}".lower()).strip("-")[-40:].strip("-")


def image(word: str) -> dict[str, Any]:
    return {"image": f"registry.example/{word}:1"}


def limits(**amounts: Any) -> dict[str, Any]:
    return {"resources": {"limits": {name.replace("_", "/"): amount for name, amount in amounts.items()}}}


PENDING, REFUSED, UNMADE = "Pods are pending", "No pod is made", "The container cannot be made"
GPUS = {"resources": {"limits": {"nvidia.com/gpu": 64}}}
SCALED = {"autoscaling": {"enabled": True, "targetCPUUtilization": 70}, "resources": {}}


def degraded(reason: str) -> tuple[str, str, str]:
    return "Degraded", "True", reason


SYMPTOMS = [
    Symptom(PENDING, degraded("Unschedulable"), "Insufficient nvidia.com/gpu", GPUS),
    Symptom(
        PENDING,
        degraded("Unschedulable"),
        "didn't match Pod's node affinity/selector",
        {"nodeSelector": {"zone": "moon"}},
    ),
    Symptom(
        PENDING, degraded("MissingClaim"), 'persistentvolumeclaim "…" not found', {"modelUri": "pvc://nosuch/model"}
    ),
    Symptom(REFUSED, degraded("MissingPriorityClass"), "no PriorityClass with name …", {"priorityClassName": "nosuch"}),
    Symptom(
        REFUSED, degraded("MissingServiceAccount"), 'serviceaccount "…" not found', {"serviceAccountName": "nosuch"}
    ),
    Symptom(REFUSED, degraded("QuotaExceeded"), "exceeded quota: …", limits(cpu="3"), SMALL_NAMESPACE),
    Symptom(REFUSED, degraded("QuotaWantsAmounts"), "must specify limits.cpu", {"resources": {}}, SMALL_NAMESPACE),
    Symptom("The image is not pulled", degraded("ImageNotFound"), "not found", image("no-such-image")),
    Symptom("The server crashes", degraded("CrashLoop"), "", image("crashes")),
    Symptom("The server is killed for its memory", degraded("OutOfMemory"), "", image("out-of-memory")),
    Symptom(UNMADE, degraded("ImageRunsAsRoot"), "image will run as root", image("runs-as-root")),
    Symptom(
        "The autoscaler does nothing", ("ScalingActive", "False", "NoUsableMetric"), "…targetCPUUtilization…", SCALED
    ),
]


@pytest.fixture(scope="module")
def troubled(admin: Kubectl, operator: Operator) -> Iterator[Kubectl]:
    """kubectl where every symptom shows."""
    for name in (NAMESPACE, SMALL_NAMESPACE):
        admin("create", "namespace", name)
        admin.apply(models_volume(name, name))
        Kubectl(admin.kubeconfig, name).apply(models_claim())
    small = Kubectl(admin.kubeconfig, SMALL_NAMESPACE)
    small.apply(QUOTA)
    eventually(lambda: small.get("resourcequota", "small").get("status", {}).get("hard"))
    for symptom in SYMPTOMS:
        spec = {"framework": None, "image": "registry.example/server:1"} | symptom.spec
        Kubectl(admin.kubeconfig, symptom.namespace).apply(workload(symptom.name, **spec))
    yield admin
    for name in (NAMESPACE, SMALL_NAMESPACE):
        admin("delete", "namespace", name, "--wait=false")
        admin("delete", "persistentvolume", name, "--wait=false")


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.name)
def test_a_message_has_the_words_that_the_page_quotes(troubled: Kubectl, symptom: Symptom) -> None:
    kubectl = Kubectl(troubled.kubeconfig, symptom.namespace)
    kind, status, reason = symptom.condition
    shown = wait_for(kubectl, kind, status, reason, symptom.name)
    pattern = ".*".join(re.escape(part) for part in symptom.words.split("…"))
    assert re.search(pattern, shown["message"]), shown["message"]
    assert symptom.words.strip("…") in PAGE[symptom.section]
    assert f"#{reason.lower()})" in PAGE[symptom.section]
    assert conditions(kubectl, symptom.name)["Accepted"]["status"] == "True"
