"""kill -9 at every write, before its answer came: who starts again goes on from there, to the same end."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.controller.children import INTENT_ANNOTATION
from aiop.sim.cluster.nodes import NodeSpec
from hack.controlplane.launch import ControlPlane
from hack.helm import ensure_helm
from support.controlplane import Cluster
from support.faults import is_write, kills, on
from support.faultyproxy import FaultyProxy
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator
from support.storms import Sea, SmallOperator
from support.workloads import models_claim, models_volume, restricted_namespace, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
SYSTEM = "aiop-system"
WORKLOAD = "bert-sentiment"
# More than the writes from create to Ready; each life has a namespace of its own, and two pods with a GPU each.
LIVES = 16
# ControllerRevision, Deployment, two Services, Ingress, autoscaler, disruption budget.
CHILDREN = 7
NODES = [NodeSpec(f"gpu-{number}", gpus=8, cpu="64", memory="256Gi") for number in range(1 + 2 * LIVES // 8)]
KINDS = "controllerrevisions,deployments,services,ingresses,horizontalpodautoscalers,poddisruptionbudgets,replicasets"


@dataclass(frozen=True, slots=True)
class Ward:
    """The real operator behind a proxy, on a control plane with kubelets, and a namespace for each of its lives."""

    operator: Operator
    proxy: FaultyProxy
    admin: Kubectl

    def kubectl(self, life: int) -> Kubectl:
        return Kubectl(self.admin.kubeconfig, f"life-{life}")

    def dies_at(self, number: int, life: int) -> bool:
        """A workload appears, and the process dies once write ``number`` for it is done; False if there are fewer."""
        writes = on(f"/namespaces/life-{life}/", is_write)
        fault = kills(lambda: os.kill(self.operator.pid, signal.SIGKILL), before=False)
        with self.proxy.befalls(fault, writes, nth=number):
            self.kubectl(life).apply(_manifest(life))
            eventually(lambda: self.operator.ended or self.ready(life))
        return self.operator.ended

    def ready(self, life: int) -> bool:
        found = self.kubectl(life).run("wait", "--for=condition=Ready", f"aiworkload/{WORKLOAD}", "--timeout=0s")
        return found.returncode == 0

    def outcome(self, life: int) -> dict[str, Any]:
        """What there is in the end, but for names, times and identities that differ from life to life."""
        kubectl = self.kubectl(life)
        objects = [_essence(each, f"life-{life}") for each in kubectl.items(KINDS)]
        named = {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}
        pods = Counter(each["status"]["phase"] for each in kubectl.items("pods"))
        return {"objects": named, "pods": pods, "status": _status(kubectl.get("aiworkload", WORKLOAD))}

    def ends_as(self, life: int, outcome: dict[str, Any]) -> None:
        """Wait until that life's outcome is this one."""
        eventually(
            lambda: self.outcome(life) == outcome, told=lambda: "\n".join(_differences(outcome, self.outcome(life)))
        )


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(tmp_path / "plane"))
        cluster = Cluster(plane.kubeconfig, plane)
        admin = Kubectl(plane.kubeconfig)
        stack.enter_context(kubelets(plane.kubeconfig, NODES))
        _install(admin)
        for life in range(LIVES):
            _prepare(admin, f"life-{life}")
        proxy = stack.enter_context(FaultyProxy(cluster, tmp_path / "proxy"))
        token = admin("--namespace", SYSTEM, "create", "token", "aiop", "--duration=1h").strip()
        operator = Operator(
            proxy.kubeconfig(token), tmp_path / "log", "--model-store", "pvc://models", "--no-leader-election"
        )
        yield stack.enter_context(_ended(Ward(operator, proxy, admin)))


def test_the_operator_is_killed_at_every_write_and_the_end_is_the_same(ward: Ward) -> None:
    ward.operator.start()
    assert not ward.dies_at(10**6, life=0)
    deaths = 0
    while ward.dies_at(deaths + 1, life=deaths + 1):
        deaths += 1
        ward.operator.start()
    assert deaths > CHILDREN  # and the status
    undisturbed = ward.outcome(0)
    assert len(undisturbed["objects"]) == CHILDREN + 1  # and the Deployment's ReplicaSet
    for life in range(1, deaths + 1):
        wait_for(ward.kubectl(life), "Ready", "True", name=WORKLOAD)
        ward.ends_as(life, undisturbed)


def test_a_small_operator_that_never_sees_an_answer_is_done_after_one_life_a_write(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy
) -> None:
    sea.make("changed")
    sea.make("unwanted")
    operator.start()
    sea.converges()
    assert operator.stop() == 0
    written = len(sea.writes())
    sea.change("changed", text="new")
    sea.change("unwanted", wanted=False)
    sea.make("made")
    lives = 0
    fault = kills(lambda: os.kill(operator.pid, signal.SIGKILL), before=False)
    while sea.differences():
        lives += 1
        operator.options("--lease", f"{sea.namespace}/life-{lives}")  # else each would wait for the last one's lease
        with proxy.befalls(fault, is_write, nth=1):
            operator.launch()
            eventually(lambda: operator.ended or not sea.differences())
    assert lives <= len(sea.writes()) - written
    operator.options("--lease", f"{sea.namespace}/last")
    if operator.ended:
        operator.start()
    sea.converges()
    sea.stays_quiet()


@contextmanager
def _ended(ward: Ward) -> Iterator[Ward]:
    try:
        yield ward
    finally:
        if not ward.operator.ended:
            ward.operator.kill()


def _install(admin: Kubectl) -> None:
    chart = ["install", "aiop", str(ROOT / "charts" / "aiop"), "--create-namespace", "--set", "replicaCount=0"]
    command = [str(ensure_helm()), "--kubeconfig", str(admin.kubeconfig), "--namespace", SYSTEM, *chart]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    admin("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")


def _prepare(admin: Kubectl, namespace: str) -> None:
    """A namespace with the models' claim bound, else the first pods could not be scheduled for a moment."""
    admin.apply(restricted_namespace(namespace))
    admin.apply(models_volume(namespace, namespace))
    mine = Kubectl(admin.kubeconfig, namespace)
    mine.apply(models_claim())
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    eventually(lambda: mine.get("pvc", "models")["status"].get("phase") == "Bound")


def _manifest(life: int) -> str:
    """With a host of its own, for one path of every host could belong to one life only."""
    bert = (ROOT / "manifests" / "samples" / "aiworkload-bert.yaml").read_text()
    return f"{bert}  ingress:\n    host: life-{life}.example\n"


def _essence(each: dict[str, Any], namespace: str) -> dict[str, Any]:
    metadata = {name: each["metadata"].get(name, {}) for name in ("name", "labels", "annotations", "ownerReferences")}
    if each["kind"] == "Ingress":  # its host is the life's own, and so is the hash over it
        metadata["annotations"].pop(INTENT_ANNOTATION)
    content = {name: value for name, value in each.items() if name not in {"metadata", "status"}}
    text = json.dumps({**content, "metadata": metadata}, sort_keys=True).replace(namespace, "life")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "uid", text)
    text = re.sub(r'"(10\.96\.[0-9.]+)"', '"ip"', text)
    found: dict[str, Any] = json.loads(text)
    return found


def _status(workload: dict[str, Any]) -> dict[str, Any]:
    status = workload["status"]
    said = {each["type"]: (each["status"], each["reason"], each["observedGeneration"]) for each in status["conditions"]}
    return {"conditions": said, "replicas": status.get("readyReplicas"), "version": status.get("version")}


def _differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    found = [f"{part}: {one[part]} != {other[part]}" for part in ("pods", "status") if one[part] != other[part]]
    for name in sorted({*one["objects"], *other["objects"]}):
        mine, theirs = one["objects"].get(name), other["objects"].get(name)
        found += [f"{name}: {mine} != {theirs}"] if mine != theirs else []
    return found
