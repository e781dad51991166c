"""What the operator writes: from create to Ready, and while nothing happens. From a real API server's audit log."""

import json
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hack.bench.figures import Figure
from hack.controlplane.launch import ControlPlane
from hack.helm import ensure_helm
from support.controlplane import Cluster, with_token
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator
from support.workloads import models_volume, workload

_CHART = Path(__file__).parents[2] / "charts" / "aiop"
_SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"
_SYSTEM = "aiop-system"
_USER = f"system:serviceaccount:{_SYSTEM}:aiop"
_WORKLOADS = 100
# A resync or a hot loop would write within this.
_QUIET_SECONDS = 30.0
_READY_SECONDS = 300.0
# Mere progress is told every five seconds: such a pause without a write means that all is said.
_SETTLING_SECONDS = 6.0
# Status codes from here on mean that nothing was written.
_REFUSED = 300
# An election renews its lease and an event is no object's state; the default runtimes are applied once, at the start.
_ASIDE = frozenset({"events", "leases", "servingruntimes"})


def measure_writes() -> list[Figure]:
    """Writes a workload from create to Ready, on a control plane of its own."""
    return _measured(_until_ready)


def measure_quiet() -> list[Figure]:
    """Writes while many workloads are quiet, on a control plane of its own."""
    return _measured(_quiet)


def _measured(part: Callable[[Cluster, Kubectl], list[Figure]]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="aiop-bench-") as folder, _operated(Path(folder)) as cluster:
        kubectl = Kubectl(cluster.kubeconfig)
        kubectl.apply((_SAMPLES / "models-pvc.yaml").read_text())
        eventually(lambda: kubectl.get("persistentvolumeclaim", "models")["status"].get("phase") == "Bound")
        return part(cluster, kubectl)


def _until_ready(cluster: Cluster, kubectl: Kubectl) -> list[Figure]:
    kubectl.apply((_SAMPLES / "aiworkload-bert.yaml").read_text())
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
    found = _writes(cluster)
    _settle(cluster)
    later = _writes(cluster).total() - found.total()
    status = found["patch aiworkloads/status"]
    children = sum(count for verb, count in found.items() if verb.startswith("create"))
    how = "the BERT sample, audit log, without events and leases"
    return [
        Figure("writes from create to Ready", found.total(), "writes", f"{how}: {_in_words(found)}", goal=children + 3),
        Figure("… of which status writes", status, "writes", how, goal=3),
        Figure("writes after that", later, "writes", "what the autoscaler says of itself goes into the status"),
    ]


def _quiet(cluster: Cluster, kubectl: Kubectl) -> list[Figure]:
    names = [f"quiet-{number:03d}" for number in range(_WORKLOADS)]
    small = {"limits": {"cpu": "10m", "memory": "16Mi"}}
    before = _writes(cluster).total()
    kubectl.apply({"apiVersion": "v1", "kind": "List", "items": [workload(name, resources=small) for name in names]})
    resources = [f"aiworkload/{name}" for name in names]
    kubectl("wait", "--for=condition=Ready", *resources, f"--timeout={_READY_SECONDS:.0f}s")
    _settle(cluster)
    each = (_writes(cluster).total() - before) / _WORKLOADS
    said = _all_writes(cluster)
    time.sleep(_QUIET_SECONDS)
    meanwhile = _all_writes(cluster) - said
    aside = Counter({name: count for name, count in meanwhile.items() if _is_aside(name)})
    how = f"{_QUIET_SECONDS:.0f} s, audit log, refused ones too"
    return [
        Figure("writes each, 100 made at once", each, "writes", "no autoscaler, no Ingress"),
        Figure("writes while 100 are quiet", meanwhile.total() - aside.total(), "writes", how, goal=0),
        Figure("… and of leases, events and default runtimes", aside.total(), "writes", _in_words(aside) or "none"),
    ]


@contextmanager
def _operated(folder: Path) -> Iterator[Cluster]:
    """A control plane with kubelets, the chart and the operator with the chart's rights."""
    with ControlPlane(folder / "plane") as plane, kubelets(plane.kubeconfig):
        cluster = Cluster(plane.kubeconfig, plane)
        kubectl = Kubectl(plane.kubeconfig)
        _install(plane.kubeconfig)
        kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        kubectl.apply(models_volume("models", "default"))
        token = kubectl("--namespace", _SYSTEM, "create", "token", "aiop").strip()
        kubeconfig = with_token(plane.kubeconfig, folder / "kubeconfig", token)
        operator = Operator(kubeconfig, folder / "log", "--model-store", "pvc://models", "--lease-namespace", _SYSTEM)
        operator.start()
        try:
            yield cluster
        finally:
            operator.stop()


def _install(kubeconfig: Path) -> None:
    command = [str(ensure_helm()), "--kubeconfig", str(kubeconfig), "--namespace", _SYSTEM, "install", "aiop"]
    settings = ["--create-namespace", "--set", "replicaCount=0"]
    subprocess.run([*command, str(_CHART), *settings], check=True, timeout=120, stdout=subprocess.DEVNULL)


def _settle(cluster: Cluster) -> None:
    """Return once nothing has been written for a while."""
    seen: list[int] = [-1]

    def still() -> bool:
        seen.append(_writes(cluster).total())
        time.sleep(_SETTLING_SECONDS)
        return seen[-1] == seen[-2]

    eventually(still, seconds=_READY_SECONDS)


def _writes(cluster: Cluster) -> "Counter[str]":
    """The operator's successful writes so far, by verb and resource; what stands aside left out."""
    found = Counter(_named(event) for event in cluster.writes(_USER))
    return Counter({name: count for name, count in found.items() if not _is_aside(name)})


def _all_writes(cluster: Cluster) -> "Counter[str]":
    """All that the operator asked to write so far, by verb and resource; refused ones have their status code."""
    if cluster.plane is None:
        message = "only a control plane of the bench's own has an audit log here"
        raise RuntimeError(message)
    lines = cluster.plane.audit_log.read_text().splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return Counter(_named(event) for event in events if event["user"]["username"] == _USER)


def _named(event: dict[str, Any]) -> str:
    target, code = event["objectRef"], event["responseStatus"]["code"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    return f"{event['verb']} {resource}" + (f" ({code})" if code >= _REFUSED else "")


def _is_aside(name: str) -> bool:
    """True for a name as `_named` gives it, whose resource is one of those."""
    return re.split("[ /]", name)[1] in _ASIDE


def _in_words(found: "Counter[str]") -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
