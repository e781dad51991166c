"""The operator on a real node as people run it: its chart by `helm install`, two replicas of its image."""

import subprocess

from hack.helm import ensure_helm
from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.helm import CHART
from support.kubectl import Kubectl
from support.replicas import RELEASE, SYSTEM
from support.workloads import restricted_namespace

_SECONDS = 120
# Longer than helm waits, so that helm itself says what it waited for.
_PROCESS_SECONDS = 300


def install_release(node: NodeCluster, admin: Kubectl) -> None:
    """Install or upgrade it in a restricted namespace, and wait until it is ready."""
    admin.apply(restricted_namespace(SYSTEM))
    image = ensure_image("aiop")
    node.load(image.archive)
    registry, _, rest = image.reference.partition("/")
    repository, _, tag = rest.rpartition(":")
    settings = {"registry": registry, "repository": repository, "tag": tag, "pullPolicy": "Never"}
    words = [word for key, value in settings.items() for word in ("--set-string", f"image.{key}={value}")]
    _helm(admin, "upgrade", "--install", RELEASE, str(CHART), "--create-namespace", *words)


def uninstall_release(admin: Kubectl) -> None:
    """Take the release away."""
    _helm(admin, "uninstall", RELEASE)


def _helm(admin: Kubectl, *arguments: str) -> None:
    command = [str(ensure_helm()), "--kubeconfig", str(admin.kubeconfig), "--namespace", SYSTEM, *arguments]
    command += ["--wait", f"--timeout={_SECONDS}s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROCESS_SECONDS)
    assert done.returncode == 0, done.stderr
