"""The chart on a control plane of its own: its operator runs as a process, with the pod's arguments and its token."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack.controlplane.launch import ControlPlane
from support.controlplane import Cluster, with_token
from support.helm import CHART, Helm
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator, running
from support.usedrights import AUDIT_POLICY
from support.workloads import models_claim, models_volume, restricted_namespace

SYSTEM = "aiop-system"
ACCOUNT = "aiop"
USER = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"
# Who sets blockOwnerDeletion needs the right to update the owner's finalizers: some distributions ask for it.
_PLUGINS = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"
# The test gives addresses of its own.
_ADDRESSES = ("--health-address", "--metrics-address")


@dataclass(frozen=True, slots=True)
class Installation:
    """A release of the chart; ``operator`` is not started yet."""

    plane: ControlPlane
    admin: Kubectl
    operator: Operator

    def inside(self, namespace: str) -> Kubectl:
        return Kubectl(self.admin.kubeconfig, namespace)

    def said(self) -> str:
        """All of the operator's log."""
        return self.operator.log.read_text(errors="replace")


@contextmanager
def installation(folder: Path, namespaces: Sequence[str], *settings: str) -> Iterator[Installation]:
    """Install the chart where these namespaces exist, restricted and with the models' claim."""
    with ExitStack() as stack:
        made = ControlPlane(folder / "plane", audit_policy=AUDIT_POLICY, options=(_PLUGINS,))
        plane = stack.enter_context(made)
        stack.enter_context(kubelets(plane.kubeconfig))
        admin = Kubectl(plane.kubeconfig)
        for namespace in namespaces:
            _prepare(admin, namespace)
        _install(plane.kubeconfig, "replicaCount=0", "models.store=pvc://models", *settings)
        admin("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
        operator = stack.enter_context(running(_operator(Cluster(plane.kubeconfig, plane), admin, folder)))
        yield Installation(plane, admin, operator)


def _install(kubeconfig: Path, *settings: str) -> None:
    words = [word for setting in settings for word in ("--set", setting)]
    Helm(kubeconfig, SYSTEM)("install", "aiop", CHART, "--create-namespace", *words)


def _prepare(admin: Kubectl, namespace: str) -> None:
    admin.apply(restricted_namespace(namespace))
    admin.apply(models_volume(namespace, namespace))
    mine = Kubectl(admin.kubeconfig, namespace)
    mine.apply(models_claim())
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    eventually(lambda: mine.get("pvc", "models")["status"].get("phase") == "Bound")


def _operator(cluster: Cluster, admin: Kubectl, folder: Path) -> Operator:
    system = Kubectl(admin.kubeconfig, SYSTEM)
    (deployment,) = system.items("deployments")
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    own = [word for word in arguments if word != "manager" and not word.startswith(_ADDRESSES)]
    token = system("create", "token", ACCOUNT, "--duration=3h").strip()
    # A pod finds its namespace beside its token.
    own += ["--lease-namespace", SYSTEM]
    return Operator(with_token(cluster.kubeconfig, folder / "kubeconfig", token), folder / "log", *own)
