"""A real Prometheus that scrapes the operator: what it is told, and an alert that comes and goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from hack.generated.metrics import families
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.prometheusserver import PrometheusServer, prometheus_server
from support.promtool import rules
from support.workloads import wait_for, workload


@pytest.fixture
def prometheus(operator: Operator, tmp_path: Path) -> Iterator[PrometheusServer]:
    with prometheus_server(tmp_path, operator.metrics) as server:
        eventually(lambda: server.query("up == 1"))
        yield server


def shown(operator: Operator) -> dict[str, Metric]:
    found = text_string_to_metric_families(operator.fetch(operator.metrics))
    return {f"{each.name}_total" if each.type == "counter" else each.name: each for each in found}


def workloads_shown(operator: Operator, namespace: str) -> set[str]:
    samples = shown(operator)["aiop_workload_info"].samples
    return {sample.labels["name"] for sample in samples if sample.labels["namespace"] == namespace}


def test_the_page_of_metrics_is_what_a_running_operator_shows(kubectl: Kubectl, operator: Operator) -> None:
    kubectl.apply(workload(autoscaling={"enabled": True, "targetCPUUtilization": 50}))
    wait_for(kubectl, "Ready", "True")
    eventually(lambda: shown(operator)["aiop_workload_autoscaling_desired_replicas"].samples)
    found = shown(operator)
    documented = {family.name: family for family in families()}
    assert found.keys() == documented.keys()
    for name, metric in found.items():
        assert metric.type == documented[name].type
        labels = {frozenset(sample.labels) - {"le"} for sample in metric.samples}
        assert labels == {frozenset(documented[name].labels)}


def test_an_alert_about_a_workload_fires_and_resolves(
    kubectl: Kubectl, operator: Operator, prometheus: PrometheusServer
) -> None:
    here = {"namespace": kubectl.namespace, "name": "demo"}
    # Nobody serves the metrics API here, so the autoscaler has nothing to go by.
    kubectl.apply(workload(autoscaling={"enabled": True, "targetCPUUtilization": 50}))
    wait_for(kubectl, "Ready", "True")
    told = here | {"alertname": "AiopAutoscalingInactive", "severity": "warning"}
    eventually(lambda: told in prometheus.firing("AiopAutoscalingInactive"))
    ready = f'aiop_workload_condition{{namespace="{kubectl.namespace}", name="demo", type="Ready"}}'
    eventually(lambda: list(prometheus.query(ready).values()) == [1])
    evaluated = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(evaluated) == len(rules())
    assert [rule["lastError"] for rule in evaluated if rule["health"] != "ok"] == []
    for alert in ("AiopOperatorDown", "AiopReplicaDown", "AiopNoLeader", "AiopTwoLeaders", "AiopCacheNotSynced"):
        assert prometheus.firing(alert) == []
    kubectl.apply(workload(autoscaling={"enabled": False}))
    eventually(lambda: told not in prometheus.firing("AiopAutoscalingInactive"))
    kubectl("delete", "aiworkload", "demo")
    eventually(lambda: workloads_shown(operator, kubectl.namespace) == set())


def test_a_replica_that_stands_by_shows_no_workload(kubectl: Kubectl, operator: Operator, tmp_path: Path) -> None:
    kubectl.apply(workload())
    eventually(lambda: workloads_shown(operator, kubectl.namespace) == {"demo"})
    another = Operator(operator._kubeconfig, tmp_path / "log", *operator._arguments)
    another.start()
    try:
        found = shown(another)
        assert [sample.value for sample in found["leader_election_master_status"].samples] == [0]
        assert "aiop_workload_info" not in found
    finally:
        another.stop()
