"""A real node of the bench's own with the operator's chart, started for the first part that needs it.

It needs root, and ends with this process. $AIOP_NODE_FOLDER names one that is taken if it runs, and left running.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hack.node.cluster import NodeCluster
from support import lightserver
from support.kubectl import Kubectl, eventually
from support.release import install_release
from support.replicas import Replicas
from support.servedmodels import Models, load_image
from support.workloads import restricted_namespace


@dataclass(frozen=True, slots=True)
class Team:
    """A namespace whose claim has two versions of a light model; ``image`` runs it."""

    node: NodeCluster
    kubectl: Kubectl
    image: str


@dataclass(frozen=True, slots=True)
class NodeBench:
    """The node and its administrator; two replicas of the operator are ready."""

    node: NodeCluster
    admin: Kubectl
    replicas: Replicas

    @contextmanager
    def team(self, name: str) -> Iterator[Team]:
        """A restricted namespace, gone with all that is in it afterwards."""
        kubectl = Kubectl(self.node.kubeconfig, name)
        with ExitStack() as stack:
            self.admin.apply(restricted_namespace(name))
            stack.callback(self.admin, "delete", "namespace", name, "--timeout=150s")
            eventually(lambda: kubectl.run("get", "serviceaccount", "default").returncode == 0)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiop-bench-models-")))
            models = Models(self.admin, kubectl, folder)
            stack.callback(models.close)
            for version in ("v1", "v2"):
                models.put(Path(lightserver.__file__), f"light/{version}")
            yield Team(self.node, kubectl, load_image(self.node, "python"))

    def settle(self) -> str:
        """Wait until both replicas are ready and one leads; returns its identity."""
        return str(
            eventually(
                lambda: self.replicas.ready(2) and self.replicas.leader(),
                told=lambda: self.replicas.kubectl("describe", "pods"),
            )
        )


@cache
def released_node() -> NodeBench:
    """The same one for all parts of a run; raises NotRoot without root."""
    stack = ExitStack()
    atexit.register(stack.close)
    kept = os.environ.get("AIOP_NODE_FOLDER")
    if kept and (running := NodeCluster(Path(kept))).attach():
        node = running
    else:
        # Not a TemporaryDirectory: that one would go before the cluster in it has ended.
        folder = Path(tempfile.mkdtemp(prefix="aiop-bench-node-"))
        stack.callback(shutil.rmtree, folder)
        node = stack.enter_context(NodeCluster(folder))
    admin = Kubectl(node.kubeconfig)
    install_release(node, admin)
    bench = NodeBench(node, admin, Replicas(admin, node.audit_log))
    bench.settle()
    return bench
