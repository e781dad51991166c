"""A real Prometheus finds the operator's pods, as the page on monitoring configures it, and tells of trouble."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.node.cluster import NodeCluster
from support.controlplane import with_token
from support.kubectl import Kubectl, eventually
from support.pages import blocks
from support.prometheusserver import PrometheusServer, scraping
from support.promtool import rules
from support.replicas import SYSTEM, Replicas, pod_of

pytestmark = [pytest.mark.real, pytest.mark.slow]
PAGE = "docs/how-to/monitor.md"
MONITORING = "monitoring"
META = "__meta_kubernetes_"
PORT = 9099
ALERT = "AiopReplicaDown"


@pytest.fixture
def prometheus(node: NodeCluster, admin: Kubectl, replicas: Replicas, tmp_path: Path) -> Iterator[PrometheusServer]:
    """In the node's network, with the job and the rights of the page."""
    given = page()
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MONITORING}})
    monitoring = Kubectl(admin.kubeconfig, MONITORING)
    monitoring.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus"}})
    replicas.kubectl.apply(yaml.safe_dump_all(given.rights))
    token = monitoring("create", "token", "prometheus", "--duration=1h").strip()
    itself = Kubectl(with_token(node.kubeconfig, tmp_path / "kubeconfig", token), SYSTEM)
    targets = tmp_path / "targets.json"
    targets.write_text(json.dumps(eventually(lambda: discovered(itself))))
    job = {name: value for name, value in given.job.items() if name != "kubernetes_sd_configs"}
    with scraping(
        tmp_path, job | {"file_sd_configs": [{"files": [str(targets)]}]}, f"{node.address}:{PORT}", node.inside
    ) as server:
        yield server
    replicas.kubectl("delete", "-f", "-", stdin=yaml.safe_dump_all(given.rights))
    admin("delete", "namespace", MONITORING, "--timeout=90s")


@dataclass(frozen=True, slots=True)
class Page:
    """What the page tells to copy: one of `scrape_configs`, and objects that give a Prometheus its rights."""

    job: dict[str, Any]
    rights: list[dict[str, Any]]


def page() -> Page:
    found = [list(yaml.safe_load_all(block.text)) for block in blocks(PAGE) if block.language == "yaml"]
    ((job,),) = [each[0]["scrape_configs"] for each in found if "scrape_configs" in each[0]]
    (rights,) = [each for each in found if each[0].get("kind") == "Role"]
    assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": [SYSTEM]}}]
    return Page(job, rights)


def discovered(itself: Kubectl) -> list[dict[str, Any]]:
    """What the discovery `kubernetes_sd` finds with these rights: Debian builds its Prometheus without.

    A target for each port of each container, with the labels that the page's relabelling reads.
    """
    listed = itself.run("get", "pods", "-o", "json")
    pods = json.loads(listed.stdout)["items"] if listed.returncode == 0 else []
    return [
        {
            "targets": [f"{pod['status']['podIP']}:{port['containerPort']}"],
            "labels": {
                f"{META}namespace": pod["metadata"]["namespace"],
                f"{META}pod_name": pod["metadata"]["name"],
                f"{META}pod_label_app_kubernetes_io_name": pod["metadata"]["labels"]["app.kubernetes.io/name"],
                f"{META}pod_container_port_name": port["name"],
            },
        }
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["spec"]["containers"]
        for port in container["ports"]
    ]


def test_it_finds_both_replicas_and_an_alert_about_one_of_them_fires_and_resolves(
    node: NodeCluster, prometheus: PrometheusServer, replicas: Replicas
) -> None:
    pods = {pod["metadata"]["name"] for pod in replicas.pods()}
    up = f'up{{job="aiop", namespace="{SYSTEM}"}} == 1'
    eventually(lambda: {dict(labels)["pod"] for labels in prometheus.query(up)} == pods)
    assert len(loaded(prometheus)) == len(rules())
    eventually(lambda: all(rule["health"] == "ok" for rule in loaded(prometheus)))
    for alert in (ALERT, "AiopOperatorDown", "AiopNoLeader", "AiopTwoLeaders", "AiopCacheNotSynced"):
        eventually(lambda alert=alert: prometheus.firing(alert) == [])  # type: ignore[misc]  # mypy takes no default

    (standby,) = pods - {pod_of(replicas.leader())}
    node.cut(SYSTEM, standby)
    try:
        eventually(lambda: told_of(prometheus) == {standby}, told=lambda: prometheus.get("alerts"))
    finally:
        node.mend(SYSTEM, standby)
    eventually(lambda: told_of(prometheus) == set(), told=lambda: prometheus.get("alerts"))
    # Its events tell for an hour that kubelet did not hear it.
    replicas.kubectl("delete", "pod", standby)


def told_of(prometheus: PrometheusServer) -> set[str]:
    """The pods that the alert names."""
    return {labels["pod"] for labels in prometheus.firing(ALERT)}


def loaded(prometheus: PrometheusServer) -> list[Any]:
    return [rule for group in prometheus.have("rules")["groups"] for rule in group["rules"]]
