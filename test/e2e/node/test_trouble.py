"""Real trouble on a real node is named truly: by the workload's conditions, and by `aiop explain`.

Every trouble begins at once, so that the file takes as long as the slowest of them: the one whose readiness probe
fails, which counts after a minute.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support import registry
from support.controlplane import with_token
from support.explaining import explained, told
from support.kubectl import Kubectl, eventually
from support.realpods import restricted_pod
from support.replicas import RELEASE, Replicas
from support.workloads import conditions, models_claim, restricted_namespace, wait_for, workload

PLAIN, QUOTA, SECURITY = "node-trouble", "node-trouble-quota", "node-trouble-security"
REGISTRY_PORT, CLOSED_PORT = 5000, 5001
SMALL = {"limits": {"cpu": "50m", "memory": "32Mi"}}
SERVES = ["httpd", "-f", "-p", "8080", "-h", "/tmp"]  # noqa: S108 - a path inside the container
# Reads its model as a server does, and says what is wrong with it as one does.
MODEL = "/mnt/models/iris/model.onnx"
READS = f'head -c 4 {MODEL} | grep -q ONNX || {{ echo "model.onnx: not an ONNX file" >&2; exit 3; }}'
TCP = {"type": "TCP", "periodSeconds": 1}


@dataclass(frozen=True, slots=True)
class Trouble:
    """``spec`` has it; ``words`` are in the condition's message and in explain's, ``more`` in explain's alone."""

    reason: str
    words: str
    spec: dict[str, Any] = field(default_factory=dict)
    more: str = ""
    namespace: str = PLAIN
    name: str = ""

    @property
    def workload(self) -> str:
        return self.name or self.reason.lower()


def runs(*command: str, **spec: Any) -> dict[str, Any]:
    return {"command": list(command), **spec}


def shell(script: str, **spec: Any) -> dict[str, Any]:
    return runs("sh", "-c", script, **spec)


def pulls(repository: str, port: int = REGISTRY_PORT) -> dict[str, Any]:
    return {"image": f"127.0.0.1:{port}/{repository}:1"}


TROUBLES = [
    Trouble("ImageNotFound", "127.0.0.1:5000/no-such-image:1", pulls("no-such-image")),
    Trouble("ImagePullDenied", "127.0.0.1:5000/wants-login:1", pulls(registry.LOGIN)),
    Trouble("RegistryUnreachable", "connection refused", pulls("anything", CLOSED_PORT)),
    Trouble("CrashLoop", "exit code 7 (Error): panic: no such layer",
            shell('echo "panic: no such layer" >&2; exit 7')),
    Trouble("CrashLoop", "exit code 3 (Error): model.onnx: not an ONNX file",
            shell(READS, modelUri="pvc://models/corrupt"), name="corrupt-model"),
    Trouble("OutOfMemory", "its limit of 32Mi", runs("tail", "/dev/zero")),
    Trouble("ContainerStartFailed", "nosuch-server", runs("nosuch-server")),
    Trouble("KilledByProbe", "startup probe fails too often",
            runs("sleep", "600", probes={"startup": {**TCP, "failureThreshold": 2}})),
    Trouble("ReadinessFailing", "GET /ready on port http", more="statuscode: 404",
            spec=runs(*SERVES, probes={"startup": TCP, "readiness": {"path": "/ready", "periodSeconds": 1}})),
    Trouble("MissingClaim", 'persistentvolumeclaim "nosuch" not found', {"modelUri": "pvc://nosuch/model"}),
    Trouble("ModelPathMissing", "subPath", {"modelUri": "pvc://models/nosuch"}),
    Trouble("PodNotSetUp", "the claim 'gone'", {"modelUri": "pvc://gone/model"}, more="FailedMount"),
    Trouble("MissingSecret", 'secret "nosuch" not found',
            {"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "nosuch", "key": "token"}}}]}),
    Trouble("MissingConfigMapKey", "couldn't find key nosuch in ConfigMap node-trouble/settings",
            {"env": [{"name": "TOKEN", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "nosuch"}}}]}),
    Trouble("Unschedulable", "Insufficient memory", {"resources": {"limits": {"memory": "4000Gi"}}},
            more="asks for 4000Gi memory, and the largest of 1 nodes has", name="too-large"),
    Trouble("Unschedulable", "Insufficient nvidia.com/gpu", {"resources": {"limits": {"nvidia.com/gpu": 1}}},
            more="asks for 1 nvidia.com/gpu, and the largest of 1 nodes has 0", name="no-gpu"),
    Trouble("QuotaExceeded", "requested: limits.memory=32Mi, used: limits.memory=0, limited: limits.memory=1Mi",
            more="used now: 0 of 1Mi limits.memory", namespace=QUOTA),
    Trouble("PodSecurityRefused", 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
            namespace=SECURITY),
]  # fmt: skip


def quota() -> dict[str, Any]:
    spec = {"hard": {"limits.memory": "1Mi"}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": spec}


def volume(name: str, claim: str, node: str, path: Path) -> dict[str, Any]:
    """A volume of the node's own for a claim, mounted read-only; one whose folder is not there cannot be mounted."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "claimRef": {"namespace": PLAIN, "name": claim},
        },
    }


def host_network() -> list[dict[str, Any]]:
    """aiop's own pods meet the restricted level; in one namespace these are changed on their way."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": SECURITY}}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": SECURITY}}}
    change = {"expression": "Object{spec: Object.spec{hostNetwork: true}}"}
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": change}]
    spec = {"matchConstraints": {"resourceRules": [rule]}, "reinvocationPolicy": "Never", "mutations": mutations}
    return [
        {**head, "kind": "MutatingAdmissionPolicy", "spec": spec},
        {**head, "kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": SECURITY, "matchResources": where}},
    ]


@pytest.fixture(scope="module")
def models(node: NodeCluster) -> Iterator[Path]:
    """A folder that the node has, with a model that is none."""
    folder = node.folder / "trouble-models"
    (folder / "corrupt").mkdir(parents=True, exist_ok=True)
    (folder / "corrupt" / "model.onnx").write_bytes(b"\x00\x01PK torn off in the middle")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def no_images(node: NodeCluster) -> Iterator[None]:
    """A registry on the node's own loopback, which containerd asks without TLS."""
    command = node.inside(sys.executable, "-P", registry.__file__, str(REGISTRY_PORT))
    with subprocess.Popen(command) as process:
        yield
        process.terminate()


@pytest.fixture(scope="module")
def troubled(
    node: NodeCluster, admin: Kubectl, released: str, busybox: str, models: Path, no_images: None
) -> Iterator[Kubectl]:
    """kubectl where every trouble has begun."""
    namespaces = (PLAIN, QUOTA, SECURITY)
    for name in namespaces:
        admin.apply(restricted_namespace(name))
    for each in host_network():
        admin.apply(each)
    plain = Kubectl(admin.kubeconfig, PLAIN)
    for claim, path in (("models", models), ("gone", models / "gone")):
        admin.apply(volume(f"{PLAIN}-{claim}", claim, node.node_name, path))
        plain.apply({**models_claim(), "metadata": {"name": claim}})
    plain.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"color": "blue"}})
    limited = Kubectl(admin.kubeconfig, QUOTA)
    limited.apply(quota())
    eventually(lambda: limited.get("resourcequota", "small").get("status", {}).get("hard"))
    for claim in ("models", "gone"):
        eventually(lambda claim=claim: plain.get("pvc", claim)["status"].get("phase") == "Bound")  # type: ignore[misc]  # mypy takes no default
    # The API server takes up a policy a while after it was made.
    harmless = json.dumps(restricted_pod("harmless", busybox, "true"))
    tried = ("create", "--dry-run=server", "--filename=-")
    eventually(lambda: "hostNetwork" in Kubectl(admin.kubeconfig, SECURITY).run(*tried, stdin=harmless).stderr)
    for trouble in TROUBLES:
        Kubectl(admin.kubeconfig, trouble.namespace).apply(
            small(busybox, trouble.workload, **({"modelUri": "pvc://models/corrupt"} | trouble.spec))
        )
    yield admin
    admin("delete", "mutatingadmissionpolicy,mutatingadmissionpolicybinding", SECURITY)
    # Pods that heed no SIGTERM take their time, and nothing that follows needs their names or their room.
    admin("delete", "namespace", *namespaces, "--wait=false")
    admin("delete", "persistentvolume", f"{PLAIN}-models", f"{PLAIN}-gone", "--wait=false")


def small(image: str, name: str = "demo", /, **spec: Any) -> dict[str, Any]:
    """A small workload of that image; its server heeds no SIGTERM, so it is not given long."""
    common = {"image": image, "framework": None, "command": SERVES, "terminationGracePeriodSeconds": 10}
    return workload(name, **(common | {"resources": SMALL} | spec))


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.workload)
def test_each_trouble_is_named_by_the_conditions_and_by_explain(troubled: Kubectl, trouble: Trouble) -> None:
    kubectl = Kubectl(troubled.kubeconfig, trouble.namespace)
    found = wait_for(kubectl, "Degraded", "True", trouble.reason, trouble.workload)
    assert trouble.words in found["message"]
    now = conditions(kubectl, trouble.workload)
    assert (now["Ready"]["status"], now["Ready"]["reason"]) == ("False", trouble.reason)
    said = explained(kubectl, trouble.workload)
    assert said["cause"]["reason"] == trouble.reason
    assert trouble.words in said["cause"]["message"]
    assert trouble.more in said["cause"]["message"]
    assert said["cause"]["source"]["name"]
    assert said["notes"] == []
    assert len(told(kubectl, trouble.workload)) == 3


@pytest.fixture(scope="module")
def viewer(troubled: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of somebody with the role `view` in these namespaces, and no other right."""
    plain = Kubectl(troubled.kubeconfig, PLAIN)
    plain("create", "serviceaccount", "viewer")
    for namespace in (PLAIN, QUOTA, SECURITY):
        words = ("create", "rolebinding", "viewer", "--clusterrole=view", f"--serviceaccount={PLAIN}:viewer")
        Kubectl(troubled.kubeconfig, namespace)(*words)
    token = plain("create", "token", "viewer").strip()
    return with_token(troubled.kubeconfig, tmp_path_factory.mktemp("viewer") / "kubeconfig", token)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.workload)
def test_who_may_only_view_is_told_the_same_cause(viewer: Path, trouble: Trouble) -> None:
    # Whoever may not see nodes has the scheduler's words.
    more = trouble.more if trouble.reason != "Unschedulable" else ""
    is_found(Kubectl(viewer, trouble.namespace), trouble, more)


def test_each_is_found_while_no_operator_runs(troubled: Kubectl, viewer: Path, replicas: Replicas) -> None:
    count = str(replicas.kubectl.get("deployment", RELEASE)["spec"]["replicas"])
    replicas.kubectl("scale", f"deployment/{RELEASE}", "--replicas=0")
    try:
        eventually(lambda: replicas.kubectl.items("pods") == [])
        for trouble in TROUBLES:
            is_found(Kubectl(troubled.kubeconfig, trouble.namespace), trouble, trouble.more)
    finally:
        replicas.kubectl("scale", f"deployment/{RELEASE}", f"--replicas={count}")


def is_found(kubectl: Kubectl, trouble: Trouble, more: str) -> None:
    """By explain, in its words."""
    cause = explained(kubectl, trouble.workload)["cause"]
    assert cause["reason"] == trouble.reason
    assert trouble.words in cause["message"]
    assert more in cause["message"]


def test_a_kubelet_that_stops_is_a_node_that_does_not_answer(
    node: NodeCluster, team: Kubectl, released: str, busybox: str
) -> None:
    team.apply(small(busybox, modelName="none"))
    wait_for(team, "Ready", "True")
    node.stop_kubelet()
    try:
        # A node controller that misses a node's beats takes its pods' readiness after 40 to 50 seconds.
        found = eventually(lambda: _degraded(team, "NodeUnreachable"), seconds=120.0)
        assert f"the node '{node.node_name}' of 1 of 1 pods does not answer" in found
        wait_for(team, "Ready", "False", "NodeUnreachable")
        said = explained(team)
        assert (said["cause"]["reason"], said["healthy"]) == ("NodeUnreachable", False)
        assert "five minutes" in " ".join(told(team))
    finally:
        node.start_kubelet()
    wait_for(team, "Ready", "True")
    assert explained(team)["cause"] is None


def _degraded(kubectl: Kubectl, reason: str) -> str:
    """The message of Degraded while it has that reason."""
    found = conditions(kubectl).get("Degraded", {})
    return str(found["message"]) if found.get("reason") == reason else ""
