"""A real control plane with the chart installed; the operator runs on it with the chart's rights."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiop.api.resources import AIWORKLOADS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.nodes import NodeSpec
from hack.bench.audit import AuditLog
from hack.controlplane.launch import ControlPlane
from hack.helm import ensure_helm
from support.controlplane import with_token
from support.kubectl import Kubectl, eventually
from support.kubelets import NODES, kubelets
from support.operator import Operator
from support.workloads import models_volume

_ROOT = Path(__file__).parents[2]
_CHART = _ROOT / "charts" / "aiop"
_CLAIM = _ROOT / "manifests" / "samples" / "models-pvc.yaml"
_SYSTEM = "aiop-system"
_OPERATOR, _PERSON = f"system:serviceaccount:{_SYSTEM}:aiop", "admin"
NAMESPACE = "default"
# Two cores serve everything: some thousand objects take minutes.
_PATIENCE_SECONDS = 1800.0
# Mere progress is told every five seconds: such a pause without a write means that all is said.
SETTLING_SECONDS = 6.0
# A list of a thousand workloads is dear to the API server.
_ASK_SECONDS = 3.0
_READINESS = r'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'
# Enough to keep the API server busy.
_CREATES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Bench:
    """A running control plane; ``writes`` are the operator's, ``asked`` those of who creates workloads."""

    folder: Path
    kubeconfig: Path
    kubectl: Kubectl
    writes: AuditLog
    asked: AuditLog

    @contextmanager
    def operator(self, name: str, kind: type[Operator] = Operator) -> Iterator[Operator]:
        """The operator as a process, ready; ``name`` is its log's."""
        operator = kind(
            with_token(self.kubeconfig, self.folder / f"{name}.kubeconfig", self._token()),
            self.log(name),
            *("--model-store", "pvc://models", "--lease-namespace", _SYSTEM),
        )
        operator.environment["PYTHONPATH"] = os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
        try:
            operator.start()
            yield operator
        finally:
            operator.stop()

    def log(self, name: str) -> Path:
        """Where the operator of that name logs to."""
        return self.folder / f"{name}.log"

    def create(self, workloads: Sequence[Mapping[str, object]]) -> None:
        """Create AIWorkloads, several at a time."""
        asyncio.run(self._create(workloads))

    def settle(self) -> None:
        """Return once nothing has been written for a while."""
        seen = [-1]

        def still() -> bool:
            seen.append(len(self.writes.done()))
            time.sleep(SETTLING_SECONDS)
            return seen[-1] == seen[-2]

        eventually(still, seconds=_PATIENCE_SECONDS)

    def wait_ready(self, count: int, operator: Operator) -> None:
        """Return once so many AIWorkloads are Ready; fails if the operator ends before."""

        def ready() -> int:
            time.sleep(_ASK_SECONDS)
            return self.kubectl("get", "aiworkloads", "-o", _READINESS).split().count("True")

        eventually(lambda: operator.ready() and ready() == count, seconds=_PATIENCE_SECONDS, told=ready)

    def _token(self) -> str:
        return self.kubectl("--namespace", _SYSTEM, "create", "token", "aiop", "--duration", "6h").strip()

    async def _create(self, workloads: Sequence[Mapping[str, object]]) -> None:
        left = iter(workloads)

        async def some(client: Client) -> None:
            for each in left:
                await client.create(AIWORKLOADS, NAMESPACE, each, field_manager="bench")

        async with Client(HttpTransport(await load_connection(str(self.kubeconfig))), clock=SystemClock()) as client:
            await asyncio.gather(*(some(client) for _ in range(_CREATES_AT_ONCE)))


@contextmanager
def installed(nodes: Sequence[NodeSpec] = NODES) -> Iterator[Bench]:
    """A control plane of the bench's own with the chart, a volume with models and those nodes, if any."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiop-bench-")))
        plane = stack.enter_context(ControlPlane(folder / "plane"))
        if nodes:
            stack.enter_context(kubelets(plane.kubeconfig, nodes))
        kubectl = Kubectl(plane.kubeconfig)
        _install(plane.kubeconfig)
        kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        kubectl.apply(models_volume("models", NAMESPACE))
        kubectl.apply(_CLAIM.read_text())
        eventually(lambda: kubectl.get("persistentvolumeclaim", "models")["status"].get("phase") == "Bound")
        writes, asked = AuditLog(plane.audit_log, _OPERATOR), AuditLog(plane.audit_log, _PERSON)
        yield Bench(folder, plane.kubeconfig, kubectl, writes, asked)


def _install(kubeconfig: Path) -> None:
    command = [str(ensure_helm()), "--kubeconfig", str(kubeconfig), "--namespace", _SYSTEM, "install", "aiop"]
    settings = ["--create-namespace", "--set", "replicaCount=0"]
    subprocess.run([*command, str(_CHART), *settings], check=True, timeout=120, stdout=subprocess.DEVNULL)
