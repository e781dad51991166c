"""Pods as processes under a real API server: what they write of themselves is accepted and says what is."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from aiop.sim.cluster.nodes import NodeSpec
from aiop.sim.processes import ProcessPods, ProgramTable
from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.processpods import PROGRAMS

pytestmark = pytest.mark.real

NAMESPACE = "process-pods"
NODE = "processes"

PODS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: hello}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: s3cret}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeSelector: {kubernetes.io/hostname: processes}
  terminationGracePeriodSeconds: 5
  initContainers:
    - {name: first, image: "shell:1", args: ["test \\"$(cat /etc/settings/greeting)\\" = hello"], volumeMounts: [
        {name: settings, mountPath: /etc/settings}]}
  containers:
    - name: main
      image: web:1
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /healthy, port: http}, periodSeconds: 1}
  volumes: [{name: settings, configMap: {name: settings}}]
---
apiVersion: v1
kind: Pod
metadata: {name: crashes}
spec:
  nodeSelector: {kubernetes.io/hostname: processes}
  containers:
    - {name: main, image: "shell:1", args: ["echo full; exit 3"], terminationMessagePolicy: FallbackToLogsOnError}
---
apiVersion: v1
kind: Pod
metadata: {name: no-image}
spec:
  nodeSelector: {kubernetes.io/hostname: processes}
  containers: [{name: main, image: "nobody/has:1"}]
"""


@pytest.fixture(scope="module")
def team(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A namespace with the pods above, and a node that runs them as processes."""
    pods = ProcessPods(ProgramTable(PROGRAMS), tmp_path_factory.mktemp("pods"), random.Random())
    with kubelets(cluster.kubeconfig, [NodeSpec(NODE)], pods):
        Kubectl(cluster.kubeconfig)("create", "namespace", NAMESPACE)
        kubectl = Kubectl(cluster.kubeconfig, NAMESPACE)
        eventually(lambda: kubectl.run("get", "serviceaccount", "default").returncode == 0)
        kubectl.apply(PODS)
        yield kubectl
        kubectl("delete", "pods", "--all", "--wait=true")
        Kubectl(cluster.kubeconfig)("delete", "namespace", NAMESPACE, "--wait=false")
        Kubectl(cluster.kubeconfig)("delete", "node", NODE, "--wait=false")


def status(team: Kubectl, pod: str) -> Any:
    [found] = eventually(lambda: team.get("pod", pod)["status"].get("containerStatuses"))
    return found


def test_a_pod_with_all_that_it_needs_gets_ready(team: Kubectl) -> None:
    team("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")
    pod = team.get("pod", "web")
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"].startswith("127.")
    [first] = pod["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["reason"] == "Completed"
    assert status(team, "web")["started"] is True


def test_a_crash_is_shown_as_kubectl_shows_any_other(team: Kubectl) -> None:
    eventually(lambda: "CrashLoopBackOff" in team("get", "pods"))
    last = status(team, "crashes")["lastState"]["terminated"]
    assert (last["exitCode"], last["message"]) == (3, "full\n")
    eventually(lambda: "Back-off restarting failed container main" in team("describe", "pod", "crashes"))


def test_an_image_that_is_not_there_is_shown_so(team: Kubectl) -> None:
    eventually(lambda: status(team, "no-image")["state"].get("waiting", {}).get("reason") == "ImagePullBackOff")
    assert 'Failed to pull image "nobody/has:1"' in team("describe", "pod", "no-image")


def test_a_deleted_pod_is_gone_after_its_end(team: Kubectl) -> None:
    team("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")
    team("delete", "pod", "web", "--timeout=120s")
    assert team.run("get", "pod", "web").returncode != 0
