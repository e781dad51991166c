"""What the chart does so that the operator stays there, and talks to nobody whom it does not need."""

import itertools
import json
from pathlib import Path
from typing import Any

from hack.generated.chart import rendered_chart
from support.helm import OLD_CHART

ROOT = Path(__file__).parents[3]
PROMETHEUS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}


def rendered(**values: Any) -> dict[str, Any]:
    """Objects by kind, of the kinds that are there once; ``__`` in a name stands for the dot."""
    settings = [f"{name.replace('__', '.')}={json.dumps(value)}" for name, value in values.items()]
    objects = rendered_chart(ROOT, *itertools.chain(*(("--set-json", setting) for setting in settings)))
    kinds = [each["kind"] for each in objects]
    return {each["kind"]: each for each in objects if kinds.count(each["kind"]) == 1}


def policy(**values: Any) -> Any:
    return rendered(**values)["NetworkPolicy"]["spec"]


def ports(rules: list[Any]) -> list[tuple[int | str, str]]:
    return [(port["port"], port["protocol"]) for rule in rules for port in rule["ports"]]


def test_nothing_comes_in_but_to_metrics_and_health_and_nothing_goes_out_but_to_names_and_the_api_server() -> None:
    spec = policy()
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert ports(spec["ingress"]) == [("metrics", "TCP"), ("health", "TCP")]
    assert ports(spec["egress"]) == [(53, "UDP"), (53, "TCP"), (443, "TCP"), (6443, "TCP")]


def test_who_reads_metrics_can_be_said_and_probes_and_the_releases_test_go_on() -> None:
    objects = rendered(networkPolicy__metricsFrom=[PROMETHEUS])
    metrics, health = objects["NetworkPolicy"]["spec"]["ingress"]
    prometheus, test = metrics["from"]
    assert prometheus == PROMETHEUS
    assert test["podSelector"]["matchLabels"].items() <= objects["Pod"]["metadata"]["labels"].items()
    assert "from" not in health


def test_addresses_of_the_api_server_bound_the_way_to_it_alone() -> None:
    names, server = policy(networkPolicy__apiServer={"cidrs": ["10.0.0.1/32"], "ports": [8443]})["egress"]
    assert "to" not in names
    assert server["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    assert ports([server]) == [(8443, "TCP")]


def test_rules_of_ones_own_come_beside_the_charts() -> None:
    rule = {"ports": [{"port": 3128, "protocol": "TCP"}]}
    spec = policy(networkPolicy__extraEgress=[rule], networkPolicy__extraIngress=[rule])
    assert spec["egress"][-1] == spec["ingress"][-1] == rule
    assert (len(spec["egress"]), len(spec["ingress"])) == (3, 3)


def test_the_policy_names_the_ports_that_the_pods_have() -> None:
    container = rendered()["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert {port["name"] for port in container["ports"]} == {"metrics", "health"}


def test_two_managers_run_apart_and_one_of_them_stays() -> None:
    objects = rendered()
    deployment = objects["Deployment"]["spec"]
    assert deployment["replicas"] == 2
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert all(each["labelSelector"] == deployment["selector"] for each in spread)
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert objects["PodDisruptionBudget"]["spec"]["selector"] == deployment["selector"]


def test_one_manager_has_no_budget_that_would_stop_every_drain() -> None:
    assert "PodDisruptionBudget" not in rendered(replicaCount=1)


def test_a_class_of_the_releases_own_is_the_one_that_the_pods_have() -> None:
    objects = rendered(priorityClass__create=True, priorityClassName="another")
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == objects["PriorityClass"]["metadata"]["name"] == "aiop"
    assert (
        rendered(priorityClassName="another")["Deployment"]["spec"]["template"]["spec"]["priorityClassName"]
        == "another"
    )


def test_without_a_lease_two_processes_never_run_side_by_side() -> None:
    deployment = rendered(leaderElection__enabled=False, replicaCount=1)["Deployment"]["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    assert "--no-leader-election" in deployment["template"]["spec"]["containers"][0]["args"]


def test_every_value_of_the_first_version_is_still_a_value() -> None:
    assert rendered_chart(ROOT, "--values", str(OLD_CHART / "values.yaml"))


def test_objects_of_ones_own_are_rendered_as_maps_and_as_text() -> None:
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-map"}}
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-text'}\n"
    objects = rendered(extraObjects=[own, text])
    assert objects["ConfigMap"]["metadata"]["name"] == "aiop-map"
    assert objects["Secret"]["metadata"]["name"] == "aiop-text"
