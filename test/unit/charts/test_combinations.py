"""The chart with its switches set every which way, against the published schemas of Kubernetes."""

import functools
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from aiop.cli.main import build_parser
from hack.generated.chart import rendered_chart
from hack.generated.values import chart_values
from support.pairs import pairs, pairwise

ROOT = Path(__file__).parents[3]
VERSIONS = ("1.34", "1.37")
# Kubernetes publishes no schema for these.
FOREIGN = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
# Switches that are neither true nor false: set, or not.
SETTINGS: dict[str, list[Any]] = {
    "replicaCount": [0, 1, 2],
    "nameOverride": ["", "models"],
    "fullnameOverride": ["", "operator"],
    "commonLabels": [{}, {"team": "platform"}],
    "commonAnnotations": [{}, {"contact": "platform@example.com"}],
    "image.digest": ["", f"sha256:{'0' * 64}"],
    "global.imageRegistry": ["", "mirror.example.com/proxy"],
    "imagePullSecrets": [[], [{"name": "registry"}]],
    "watchNamespaces": [[], ["team-a", "team-b"]],
    "models.store": ["", "pvc://models"],
    "models.fetcher.resources": [{}, {"limits": {"cpu": 2, "memory": "1Gi"}}],
    "models.fetchImage": ["", "registry.example.com/fetch:1"],
    "models.mlflowTrackingUri": ["", "https://mlflow.example.com"],
    "exposure.ingressClassName": ["", "nginx"],
    "exposure.gateway.name": ["", "public"],
    "exposure.gateway.namespace": ["", "infra"],
    "serving.monitoring.labels": [{}, {"release": "prometheus", "team": "platform"}],
    "serviceAccount.name": ["", "operator"],
    "networkPolicy.metricsFrom": [[], [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]],
    "networkPolicy.apiServer.cidrs": [[], ["10.0.0.1/32", "fd00::1/128"]],
    "networkPolicy.extraEgress": [[], [{"ports": [{"port": 8443}]}]],
    "networkPolicy.extraIngress": [[], [{"ports": [{"port": 9000}]}]],
    "extraEnv": [[], [{"name": "TZ", "value": "UTC"}]],
    "extraArgs": [[], ["--workers=8"]],
    "extraVolumes": [[], [{"name": "certificates", "emptyDir": {}}]],
    "extraVolumeMounts": [[], [{"name": "tmp", "mountPath": "/cache"}]],
    "podLabels": [{}, {"mesh": "off", "app.kubernetes.io/name": "not this"}],
    "podAnnotations": [{}, {"mesh/inject": "false"}],
    "nodeSelector": [{}, {"kubernetes.io/os": "linux"}],
    "tolerations": [[], [{"key": "system", "operator": "Exists"}]],
    "affinity": [{}, {"nodeAffinity": {}}],
    "topologySpreadConstraints": [[], [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]],
    "priorityClassName": ["", "system-cluster-critical"],
    "resources": [{}, {"limits": {"cpu": 1, "memory": "1Gi"}}],
    "extraObjects": [[], [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-own"}}]],
}


def switches() -> dict[str, list[Any]]:
    """Every true or false and every enumeration of the schema, as it is and otherwise, and the settings above."""
    found: dict[str, list[Any]] = {}
    for value in chart_values(ROOT):
        if value.schema["type"] == "boolean":
            found[value.path] = [True, False]
        elif "enum" in value.schema:
            found[value.path] = list(value.schema["enum"])
    return found | SETTINGS


def possible(row: Mapping[str, Any]) -> dict[str, Any]:
    """The nearest row that the chart accepts: without a Lease there is one process, and one monitor is enough."""
    if row["metrics.serviceMonitor.create"]:
        row = {**row, "metrics.podMonitor.create": False}
    alone = not row["leaderElection.enabled"] and row["replicaCount"] > 1
    return {**row, "replicaCount": 1} if alone else dict(row)


SWITCHES = switches()
ON = {name: options[-1] if name in SETTINGS else options[0] for name, options in SWITCHES.items()}
OFF = {name: options[0] if name in SETTINGS else options[-1] for name, options in SWITCHES.items()}
COUNTS = {name: len(options) for name, options in SWITCHES.items()}
PAIRWISE = [{name: SWITCHES[name][number] for name, number in row.items()} for row in pairwise(COUNTS)]
ROWS = [possible(row) for row in (ON, OFF, *PAIRWISE)]
ROW = pytest.mark.parametrize(
    "number", range(len(ROWS)), ids=["all on", "all off", *(f"row {number}" for number in range(1, len(PAIRWISE) + 1))]
)


@functools.cache
def rendered(number: int) -> list[Any]:
    """The chart with the settings of a row."""
    settings = [f"{name}={json.dumps(value)}" for name, value in ROWS[number].items()]
    return rendered_chart(ROOT, *itertools.chain(*(("--set-json", setting) for setting in settings)))


@ROW
def test_each_combination_of_two_switches_renders_what_the_oldest_and_the_newest_kubernetes_know(
    number: int,
) -> None:
    objects = rendered(number)
    assert any(each["kind"] == "Deployment" for each in objects)
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names)), "one name twice"
    for version, each in itertools.product(VERSIONS, objects):
        if each["kind"] not in FOREIGN:
            kubernetes_validate.validate(each, version, strict=True)


@ROW
def test_what_selects_the_managers_pods_selects_them_in_each_combination(number: int) -> None:
    objects = rendered(number)
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in selectors(objects):
        assert selector.items() <= labels.items()
    for pod in (each for each in objects if each["kind"] == "Pod"):
        assert not any(selector.items() <= pod["metadata"]["labels"].items() for selector in selectors(objects))


@ROW
def test_the_manager_takes_its_arguments_in_each_combination(number: int) -> None:
    (deployment,) = [each for each in rendered(number) if each["kind"] == "Deployment"]
    given = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    options = build_parser("manager").parse_args(given)
    row = ROWS[number]
    assert options.model_store == row["models.store"]
    assert options.watch_namespace == row["watchNamespaces"]
    assert options.no_leader_election == (not row["leaderElection.enabled"])
    variables = [each["name"] for each in deployment["spec"]["template"]["spec"]["containers"][0].get("env", [])]
    uid = ["AIOP_POD_UID"] if row["leaderElection.enabled"] else []
    assert options.pod_uid == ("$(AIOP_POD_UID)" if uid else "")
    assert variables == [*uid, *(each["name"] for each in row["extraEnv"])]
    assert (options.log_level, options.log_format) == (row["log.level"], row["log.format"])
    assert options.monitor_labels == row["serving.monitoring.labels"]
    assert options.workers == (8 if row["extraArgs"] else 4)


def selectors(objects: list[Any]) -> list[dict[str, str]]:
    """What Deployment, Service, disruption budget and policy select; never empty."""
    found = [
        each["spec"]["selector"].get("matchLabels", each["spec"]["selector"])
        for each in objects
        if each["kind"] in {"Deployment", "Service", "PodDisruptionBudget"}
    ]
    found += [each["spec"]["podSelector"]["matchLabels"] for each in objects if each["kind"] == "NetworkPolicy"]
    assert found
    assert all(found)
    return found


def test_every_two_choices_meet_in_some_row() -> None:
    met = set(itertools.chain(*(pairs(row) for row in pairwise(COUNTS))))
    for (one, count), (other, another) in itertools.combinations(COUNTS.items(), 2):
        for numbers in itertools.product(range(count), range(another)):
            assert frozenset({(one, numbers[0]), (other, numbers[1])}) in met
