"""What goes wrong is told by its own reason, in the words of who knows.

Quotas, Pod Security, policies, the scheduler and names that are taken are real here; what only a node can know (images,
crashes, Secrets that are not there, the model's files) is played by the simulated kubelets in the real one's words.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from aiop.sim.cluster.nodes import NodeSpec
from support.controlplane import Cluster
from support.explaining import explained, told
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator
from support.workloads import conditions, models_claim, models_volume, restricted_namespace, wait_for, workload

PLAIN, QUOTA, LIMITS, POLICY, SERVICES, SECURITY = (
    f"trouble-{name}" for name in ("plain", "quota", "limits", "policy", "services", "security")
)
CPU = {"limits": {"cpu": "100m", "memory": "64Mi"}}
ROOT_WORDS = "container has runAsNonRoot and image will run as root"


@dataclass(frozen=True, slots=True)
class Trouble:
    """``spec`` has it, ``words`` are in the message, which names the ``fix``."""

    reason: str
    words: str
    fix: str
    spec: dict[str, Any] = field(default_factory=dict)
    namespace: str = PLAIN

    @property
    def name(self) -> str:
        return f"{self.reason.lower()}-{self.namespace.removeprefix('trouble-')}"


def image(word: str) -> dict[str, Any]:
    return {"image": f"registry.example/{word}:1"}


def model(word: str) -> dict[str, Any]:
    return {"modelUri": f"s3://models/{word}"}


def cpu(amount: str) -> dict[str, Any]:
    return {"resources": {"limits": {"cpu": amount}}}


TROUBLES = [
    # Real: the API server and its admission.
    Trouble("QuotaExceeded",
            "exceeded quota: small, requested: limits.cpu=3, used: limits.cpu=0, limited: limits.cpu=2",
            "ask for less in spec.resources", cpu("3"), QUOTA),
    Trouble("QuotaWantsAmounts", "failed quota: small: must specify limits.cpu for: server",
            "add what it names to spec.resources", {"resources": {}}, QUOTA),
    Trouble("LimitRangeBroken", "maximum cpu usage per Container is 1, but limit is 2",
            "within the namespace's LimitRange", cpu("2"), LIMITS),
    Trouble("MissingPriorityClass", "no PriorityClass with name nosuch was found", "spec.priorityClassName",
            {"priorityClassName": "nosuch"}),
    Trouble("MissingServiceAccount", 'serviceaccount "nosuch" not found', "spec.serviceAccountName",
            {"serviceAccountName": "nosuch"}),
    Trouble("AdmissionDenied", "ValidatingAdmissionPolicy 'trouble' with binding 'trouble' denied request: not here",
            "change what the policy names", {}, POLICY),
    Trouble("PodSecurityRefused", 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
            "a mutating webhook", {}, SECURITY),
    Trouble("QuotaExceeded", "the API server refuses the Service", "raise the quota", {}, SERVICES),
    # Real: the scheduler.
    Trouble("Unschedulable", "Insufficient nvidia.com/gpu", "they start as soon as there is room",
            {"resources": {"limits": {"cpu": "100m", "nvidia.com/gpu": 64}}}),
    Trouble("MissingClaim", 'persistentvolumeclaim "nosuch" not found', "create the claim",
            {"modelUri": "pvc://nosuch/model"}),
    Trouble("ClaimNotBound", "unbound immediate PersistentVolumeClaims", "kubectl describe pvc",
            {"modelUri": "pvc://unbound/model"}),
    # Played: the kubelet.
    Trouble("ImageNotFound", "registry.example/no-such-image:1: not found", "correct the image's name or tag",
            image("no-such-image")),
    Trouble("ImagePullDenied", "may require authorization", "spec.imagePullSecrets", image("wants-login")),
    Trouble("CrashLoop", "exit code 1 (Error): panic: the model file is damaged", "the kubelet restarts it",
            image("crashes")),
    Trouble("OutOfMemory", "its limit of 64Mi", "raise spec.resources.limits.memory", image("out-of-memory")),
    Trouble("ContainerStartFailed", 'exec: "serve": executable file not found in $PATH', "check spec.command",
            image("no-such-command")),
    Trouble("ImageRunsAsRoot", ROOT_WORDS, "numeric non-root user", image("runs-as-root")),
    Trouble("MissingSecret", 'secret "keys" not found', "create the Secret", image("lacks-secret")),
    Trouble("MissingSecretKey", "couldn't find key token in Secret", "add the key to the Secret", image("lacks-key")),
    Trouble("MissingConfigMap", 'configmap "settings" not found', "create the ConfigMap", image("lacks-settings")),
    Trouble("ModelPathMissing", "failed to create subPath directory", "put the model at that path",
            image("lacks-path")),
    # Played: the fetcher.
    Trouble("ModelNotFound", "There is nothing under that name", "spec.modelUri", model("no-such-model")),
    Trouble("ModelAccessDenied", "may not read this", "spec.credentials", model("no-access")),
    Trouble("ModelCredentialsMissing", "there are none", "spec.credentials", model("no-credentials")),
    Trouble("ModelNoSpace", "needs 80.0 GB and the volume has 20.0 GB free", "make room", model("no-space")),
    Trouble("ModelUnreachable", "gave no answer in 5 tries", "a NetworkPolicy", model("no-answer")),
    Trouble("ModelArchiveBroken", "a link that leads out of it", "pack the model anew", model("bad-archive")),
    # The last one, since it takes a minute to be one.
    Trouble("ReadinessFailing", "runs and is not ready: the readiness probe (", "Check spec.ports and spec.probes",
            {**image("never-ready"), "probes": {"startup": {"type": "TCP"}}}),
]  # fmt: skip


def quota(**hard: str) -> dict[str, Any]:
    named = {name.replace("_", "."): amount for name, amount in hard.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": named}}


LIMIT_RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small"},
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]},
}
UNBOUND = {**models_claim(), "metadata": {"name": "unbound"}}


def policy(kind: str, namespace: str, **spec: Any) -> list[dict[str, Any]]:
    """An admission policy on the pods of one namespace, with its binding."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "trouble"}}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding: dict[str, Any] = {"policyName": "trouble", "matchResources": where}
    if kind == "ValidatingAdmissionPolicy":
        binding["validationActions"] = ["Deny"]
    return [
        {**head, "kind": kind, "spec": {"matchConstraints": {"resourceRules": [rule]}, **spec}},
        {**head, "kind": f"{kind}Binding", "spec": binding},
    ]


POLICIES = [
    *policy("ValidatingAdmissionPolicy", POLICY, validations=[{"expression": "false", "message": "not here"}]),
    # aiop's own pods meet the restricted level; these are changed on their way.
    *policy(
        "MutatingAdmissionPolicy",
        SECURITY,
        reinvocationPolicy="Never",
        mutations=[
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{spec: Object.spec{hostNetwork: true}}"},
            }
        ],
    ),
]


@pytest.fixture(scope="module")
def troubled(admin: Kubectl, operator: Operator) -> Iterator[Kubectl]:
    """kubectl where every trouble has begun."""
    namespaces = [PLAIN, QUOTA, LIMITS, POLICY, SERVICES, SECURITY]
    for name in namespaces:
        admin.apply(restricted_namespace(name))
        admin.apply(models_volume(name, name))
        Kubectl(admin.kubeconfig, name).apply(models_claim())
    Kubectl(admin.kubeconfig, PLAIN).apply(UNBOUND)
    Kubectl(admin.kubeconfig, LIMITS).apply(LIMIT_RANGE)
    for name, hard in ((QUOTA, quota(limits_cpu="2")), (SERVICES, quota(services="0"))):
        limited = Kubectl(admin.kubeconfig, name)
        limited.apply(hard)
        eventually(lambda limited=limited: limited.get("resourcequota", "small").get("status", {}).get("hard"))  # type: ignore[misc]  # mypy takes no default
    for each in POLICIES:
        admin.apply(each)
    for name in (POLICY, SECURITY):
        _wait_until_pods_are_refused(Kubectl(admin.kubeconfig, name))
    for trouble in TROUBLES:
        spec = {"resources": CPU} | trouble.spec
        Kubectl(admin.kubeconfig, trouble.namespace).apply(workload(trouble.name, **spec))
    yield admin
    for kind in ("validatingadmissionpolicy", "mutatingadmissionpolicy"):
        admin("delete", f"{kind},{kind}binding", "trouble")
    for name in namespaces:
        admin("delete", "namespace", name, "--wait=false")
        admin("delete", "persistentvolume", name, "--wait=false")


def _wait_until_pods_are_refused(kubectl: Kubectl) -> None:
    """Policies work a moment after they were made."""
    container = {
        "name": "a",
        "image": "a",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"securityContext": security, "containers": [container]}
    pod = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec})
    eventually(lambda: kubectl.run("create", "--dry-run=server", "-f", "-", stdin=pod).returncode)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_each_trouble_has_a_reason_words_and_a_fix(troubled: Kubectl, trouble: Trouble) -> None:
    kubectl = Kubectl(troubled.kubeconfig, trouble.namespace)
    found = wait_for(kubectl, "Degraded", "True", trouble.reason, trouble.name)
    assert trouble.words in found["message"]
    # A container that was started again runs for a moment, and the message says so meanwhile.
    eventually(lambda: trouble.fix in conditions(kubectl, trouble.name)["Degraded"]["message"])
    now = conditions(kubectl, trouble.name)
    assert (now["Ready"]["status"], now["Ready"]["reason"]) == ("False", trouble.reason)
    assert now["Available"]["status"] == "False"
    assert now["Accepted"]["status"] == "True"
    if trouble.reason.startswith("Model"):
        assert (now["ModelReady"]["status"], now["ModelReady"]["reason"]) == ("False", trouble.reason)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_explain_names_the_cause_that_the_condition_names_in_three_lines(troubled: Kubectl, trouble: Trouble) -> None:
    kubectl = Kubectl(troubled.kubeconfig, trouble.namespace)
    wait_for(kubectl, "Degraded", "True", trouble.reason, trouble.name)
    found = explained(kubectl, trouble.name)
    assert found["cause"]["reason"] == trouble.reason
    assert (found["healthy"], found["state"], found["notes"], found["unread"]) == (False, "HeldBack", [], [])
    assert found["condition"]["reason"] == trouble.reason
    assert trouble.words in found["cause"]["message"]
    assert found["cause"]["source"]["name"]
    lines = told(kubectl, trouble.name)
    assert len(lines) == 3
    assert lines[0].startswith(f"aiworkload/{trouble.name}: wanted 1 server")
    assert trouble.reason in lines[1]
    assert lines[2] != "next: look at the cause"
    # A container that was started again runs for a moment, and the cause says so meanwhile.
    eventually(lambda: trouble.fix in " ".join(told(kubectl, trouble.name)))


def test_a_node_that_falls_silent_is_named(cluster: Cluster, kubectl: Kubectl) -> None:
    node = NodeSpec("silent-1", labels={"aiop-test/pool": "silent"})
    with kubelets(cluster.kubeconfig, [node]):
        kubectl.apply(workload(nodeSelector=node.labels))
        wait_for(kubectl, "Ready", "True")
    # A node controller that misses a node's beats takes its pods' readiness after 40 to 50 seconds.
    found = eventually(lambda: _degraded(kubectl, "NodeUnreachable"), seconds=120.0)
    assert "the node 'silent-1' of 1 of 1 pods does not answer" in found
    kubectl("delete", "node", "silent-1")


def _degraded(kubectl: Kubectl, reason: str) -> str:
    """The message of Degraded while it has that reason."""
    found = conditions(kubectl).get("Degraded", {})
    return str(found["message"]) if found.get("reason") == reason else ""


def test_a_name_that_is_a_strangers_is_named_and_left_alone(kubectl: Kubectl) -> None:
    ports = {"ports": [{"port": 80}], "selector": {"app": "other"}}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"}, "spec": ports})
    kubectl.apply(workload())
    found = wait_for(kubectl, "Degraded", "True", "NameConflict")
    assert "Service demo exists and belongs to somebody else" in found["message"]
    assert kubectl.get("service", "demo")["spec"]["selector"] == {"app": "other"}


def test_a_fetch_is_told_with_size_and_files_while_it_lasts_and_with_its_time_afterwards(kubectl: Kubectl) -> None:
    kubectl.apply(workload(modelUri="s3://models/large-model"))
    going_on = wait_for(kubectl, "ModelReady", "False", "ModelFetching")
    assert re.fullmatch(
        r"fetching 4\.1 GiB in 12 files, begun \d\d:\d\d:\d\dZ, for 1 of 1 servers", going_on["message"]
    )
    assert conditions(kubectl)["Degraded"]["status"] == "False"
    over = wait_for(kubectl, "ModelReady", "True", "ModelFetched")
    assert over["message"] == "4.1 GiB in 12 files, fetched in 6 s"
    wait_for(kubectl, "Ready", "True")


def test_a_model_that_is_mounted_and_one_that_is_loaded_by_name_are_told_apart(kubectl: Kubectl) -> None:
    kubectl.apply(workload("mounted"))
    kubectl.apply(workload("named", framework="HuggingFace", modelUri="hf://owner/model"))
    assert "is mounted, read-only" in wait_for(kubectl, "ModelReady", "True", "ModelMounted", "mounted")["message"]
    assert "hf://owner/model" in wait_for(kubectl, "ModelReady", "True", "ModelByName", "named")["message"]
