"""The page of security checks: what happened to others, what therefore holds here, and the tests that prove it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.generated.marks import Marked, marked

_ROOT = Path(__file__).parents[2]
_INTRODUCTION = """# Security checks

Each line is something that happened to other operators and platforms, turned into a promise of this one. A promise is
proved by tests, or it says what does not exist here yet. A tenant is whoever may create AIWorkloads in one namespace
and nothing else.
"""


@dataclass(frozen=True, slots=True)
class Check:
    """``seen`` is where it happened; ``open`` says what of ``promise`` has no test, since it does not exist yet."""

    seen: str
    promise: str
    open: str = ""


CHECKS: Mapping[int, Check] = {
    1: Check(
        "many operators: arXiv 2507.03387",
        "No field of a namespaced kind names another namespace, but for the Gateway's, whose owner admits routes.",
    ),
    2: Check("OpenFeature: CVE-2026-54495", "A reference with a slash or a foreign namespace in it is refused."),
    3: Check(
        "External Secrets: CVE-2026-42875, CVE-2026-22822",
        "Pull secrets and credentials are looked up in the workload's own namespace alone.",
    ),
    4: Check(
        "Kubeflow Trainer: CVE-2026-83495",
        "Whoever names a Secret or a ServiceAccount must himself be allowed to use it.",
        "A Secret cannot opt in by a label: the policy cannot read it.",
    ),
    5: Check(
        "OpenShift AI: CVE-2025-10725",
        "Nothing is bound to groups of everybody, and no role of people grants anything but our kinds.",
    ),
    6: Check("TrustyAI: CVE-2025-12103", "Nor does any of them read anything but our kinds."),
    7: Check(
        "Observability Operator: CVE-2025-2843; Kafka console operator: CVE-2026-105312",
        "The operator makes no ServiceAccount and no binding, and pods carry no token.",
    ),
    8: Check(
        "OpenShift GitOps: CVE-2025-13888",
        "No workload makes RBAC; the operator may not escalate, bind or impersonate, and has no wildcard.",
    ),
    9: Check("Capsule: CVE-2026-22872", "No field takes an object as it comes."),
    10: Check(
        "Kyverno: CVE-2026-122303",
        "Children are made in the workload's own namespace; a foreign object of a child's name is left alone.",
    ),
    11: Check(
        "Argo Workflows: CVE-2026-31892, CVE-2026-42296, CVE-2026-54526",
        "Pods are made of an allow-list of fields: nothing that is written makes one that is not restricted.",
    ),
    12: Check(
        "KEDA: CVE-2026-77524; Grafana operator: CVE-2026-11769; Vault Secrets Operator: CVE-2026-8715",
        "The operator opens no path, address or template that an object names.",
    ),
    13: Check(
        "cert-manager#8756; Kyverno: CVE-2026-84199, CVE-2026-41323; Vault webhook: CVE-2026-54725",
        "The operator speaks to the API server alone, and its network policy holds it to that.",
    ),
    14: Check(
        "cert-manager: GHSA-8rvj-mm4h-c258",
        "What only the operator should write gives nobody a right that he has not got himself.",
    ),
    15: Check(
        "Kubeflow Pipelines: CVE-2026-54745, GHSA-j53r-x5f5-j4hr, CVE-2026-77596",
        "Nothing is proxied, and who asks is asked for his own rights.",
        "There is no console and no API of our own yet; what decides about objects has no way to speak to anybody.",
    ),
    16: Check(
        "odh-dashboard: CVE-2026-86332, CVE-2026-5483",
        "Secret data is shown nowhere.",
        "There is no console yet; log, status, events and metrics are held to it.",
    ),
    17: Check(
        "TrustyAI: CVE-2026-15581",
        "What stands behind an authenticating proxy listens on loopback alone.",
        "Nothing here stands behind one yet.",
    ),
    18: Check(
        "Ray: CVE-2023-48022",
        "A port that we start is reached inside the cluster alone, unless somebody asks for more.",
        "No dashboard is started yet.",
    ),
    19: Check(
        "MLflow: CVE-2026-2635, CVE-2026-2652, CVE-2026-2033, CVE-2026-116692, CVE-2026-115886, CVE-2026-53995",
        "MLflow gets generated credentials, a database and an egress policy.",
        "MLflow is not installed by the operator yet.",
    ),
    20: Check(
        "vLLM: CVE-2026-22778, CVE-2026-24779; BentoML: CVE-2025-27520, CVE-2025-32375",
        "Model servers run without a token, not as root, and on a read-only root unless the runtime says so.",
        "There is no egress policy for model servers yet: which addresses they need is the platform's to say.",
    ),
    21: Check(
        "Argo: CVE-2025-62156, GO-2025-4223; MLflow: CVE-2025-15031; MLServer: CVE-2026-109156; Karmada: "
        "GHSA-cwrh-575j-8vr3",
        "The fetcher refuses links and names that lead out, and bounds size and number, whatever an archive says.",
    ),
    22: Check("Fluid: CVE-2023-51699", "No shell reads what a field holds: commands are lists of arguments."),
    23: Check(
        "Volcano: CVE-2024-36533; Kruise: CVE-2024-36532; Fluid: CVE-2023-30840; Samples Operator: CVE-2026-107176",
        "The operator's token reads no Secret and changes no node, and each right that it has is needed.",
    ),
    24: Check(
        "Volcano: CVE-2025-32777",
        "Every field is bounded, and one bad object stops no other.",
    ),
    25: Check("KubeSpawner: CVE-2020-15110", "Derived names never meet and have at most 63 characters."),
    26: Check(
        "NVIDIA's container toolkit: CVE-2024-0132, CVE-2025-23266",
        "Old toolkits are warned of, and images can be limited.",
        "Comes with the checks of GPU nodes; a policy for images is the cluster's own.",
    ),
    27: Check(
        "Argo CD: GHSA-fwr2-64vr-xv9m, CVE-2025-55190, CVE-2026-42880",
        "No secret is in what the operator writes beside the pods themselves, nor in a URI.",
    ),
    28: Check("Argo Workflows: GO-2025-4024", "No log line holds a secret."),
    29: Check("operator-sdk: CVE-2025-7195", "Images run as a number, and change no users."),
    30: Check(
        "CloudNativePG: CVE-2026-44477, CVE-2026-55769",
        "Exporters have the least rights.",
        "The operator starts no exporter: it has no rights of its own to give.",
    ),
    31: Check(
        "Karpenter's threat model",
        "A tenant says nothing of what nodes are made of.",
        "The operator makes no node pools yet.",
    ),
    32: Check(
        "supply chains",
        "Images can be pinned by digest, and packages are by hash.",
        "Signatures, bills of materials and signed models come with the first published release.",
    ),
}


def security_checks() -> list[Marked]:
    """Every test that proves a line."""
    return marked(_ROOT, "security")


def security_page() -> str:
    """The whole page."""
    found = security_checks()
    return "\n".join([_INTRODUCTION, *(_section(number, check, found) for number, check in CHECKS.items())])


def _section(number: int, check: Check, found: list[Marked]) -> str:
    proofs = [f"- {each.words} (`{each.path}`)" for each in found if str(number) in each.arguments]
    parts = [f"## {number}. {check.promise.rstrip('.')}", "", f"Seen: {check.seen}.", ""]
    parts += [*proofs, ""] if proofs else []
    parts += [f"Open: {check.open}", ""] if check.open else []
    return "\n".join(parts)
