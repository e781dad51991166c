"""What Prometheus is told to scrape: every server once."""

from typing import Any

import pytest

from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.kinds import PODMONITORS, SERVICEMONITORS
from aiop.controllers.serving.names import REVISION_LABEL, WORKLOAD_LABEL
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.client.builtin import SERVICES
from aiop.runtime.client.resource import Resource
from support.definitions import faults_by_definition
from support.servingspecs import runtime_spec
from support.servingworld import World

MOUNT = {"mode": "Mount"}


def world(kind: Resource | None = SERVICEMONITORS, **spec: Any) -> World:
    made = World(cluster=Cluster(monitors=kind))
    made.change(**spec)
    return made


def monitor(made: World, kind: Resource = SERVICEMONITORS) -> dict[str, Any]:
    made.settle()
    (found,) = made.of(kind)
    return found.body


def test_a_service_monitor_selects_the_services_of_revisions_and_not_the_stable_one() -> None:
    made = world()
    found = monitor(made)["spec"]
    assert found["endpoints"] == [{"port": "metrics", "path": "/metrics"}]
    (expression,) = found["selector"]["matchExpressions"]
    labels = [thing.body["metadata"]["labels"] for thing in made.of(SERVICES)]
    chosen = [
        each
        for each in labels
        if found["selector"]["matchLabels"].items() <= each.items() and expression["key"] in each
    ]
    assert (len(labels), len(chosen)) == (2, 1)
    assert expression["operator"] == "Exists"
    ports = [port["name"] for thing in made.of(SERVICES) for port in thing.content["ports"]]
    assert ports.count("metrics") == 2


def test_series_carry_workload_and_revision() -> None:
    found = monitor(world())["spec"]
    assert found["jobLabel"] == WORKLOAD_LABEL
    assert found["targetLabels"] == [WORKLOAD_LABEL, REVISION_LABEL]


def test_where_there_are_only_pod_monitors_the_pods_are_selected() -> None:
    found = monitor(world(PODMONITORS), PODMONITORS)["spec"]
    assert found["podMetricsEndpoints"] == [{"port": "metrics", "path": "/metrics"}]
    assert found["selector"] == {"matchLabels": {WORKLOAD_LABEL: "bert"}}
    assert found["podTargetLabels"] == [WORKLOAD_LABEL, REVISION_LABEL]


@pytest.mark.parametrize("kind", [SERVICEMONITORS, PODMONITORS])
def test_monitors_are_valid_by_the_published_definitions(kind: Resource) -> None:
    made = world(kind)
    made.settle()
    for given in ({}, {"runtime": "vllm"}, {"runtime": "tensorflow-serving"}):
        made.change(**given)
        for child in (each for step in made.plan().steps for each in step if each.resource == kind):
            assert faults_by_definition(child) == []


def test_the_labels_that_prometheus_looks_for_are_added_and_take_nothing_away() -> None:
    made = world()
    made.settings = ServingSettings(
        model_store="pvc://models", monitor_labels={"release": "prometheus", WORKLOAD_LABEL: "other"}
    )
    labels = monitor(made)["metadata"]["labels"]
    assert labels["release"] == "prometheus"
    assert labels[WORKLOAD_LABEL] == "bert"


def test_a_runtime_without_metrics_has_no_monitor() -> None:
    made = world(runtime="tensorflow-serving")
    made.settle()
    assert made.of(SERVICEMONITORS) == []


def test_ports_of_ones_own_leave_no_monitor_of_a_port_that_there_is_not() -> None:
    made = world(ports=[{"name": "web", "containerPort": 9000}])
    made.settle()
    assert made.of(SERVICEMONITORS) == []


def test_the_first_port_is_scraped_by_the_name_that_it_has_in_the_pod() -> None:
    made = world(runtime="own")
    port = {"name": "web", "containerPort": 9000}
    made.runtimes["own"] = runtime_spec({"image": "a:1", "ports": [port], "model": MOUNT, "metrics": {"port": "web"}})
    assert monitor(made)["spec"]["endpoints"] == [{"port": "http", "path": "/metrics"}]


def test_a_rollout_of_one_runtime_changes_no_monitor() -> None:
    made = world()
    monitor(made)
    before = made.of(SERVICEMONITORS)[0].generation
    made.change(modelVersion="v2")
    made.settle()
    assert made.of(SERVICEMONITORS)[0].generation == before


def test_in_a_rollout_between_runtimes_each_revision_is_scraped_where_it_shows_metrics() -> None:
    made = world()
    made.settle()
    old = made.pods[0].revision
    made.broken = {"v2"}
    made.change(runtime="vllm", modelVersion="v2", modelUri="hf://owner/model")
    endpoints = monitor(made)["spec"]["endpoints"]
    new = next(pod.revision for pod in made.pods if pod.revision != old)
    found = {(each["port"], each["relabelings"][0]["regex"]) for each in endpoints}
    assert found == {("metrics", old), ("http", new)}
    assert all(each["relabelings"][0]["action"] == "keep" for each in endpoints)
    made.broken.clear()
    assert monitor(made)["spec"]["endpoints"] == [{"port": "http", "path": "/metrics"}]


def test_in_a_rollout_from_a_runtime_without_metrics_only_the_new_servers_are_scraped() -> None:
    made = world(runtime="tensorflow-serving")
    made.settle()
    made.broken = {"v2"}
    made.change(runtime="triton", modelVersion="v2")
    (endpoint,) = monitor(made)["spec"]["endpoints"]
    assert endpoint["relabelings"][0]["regex"] == next(pod.revision for pod in made.pods if pod.version == "v2")


def test_a_monitor_goes_when_none_is_wanted_or_the_better_kind_comes() -> None:
    made = world(PODMONITORS)
    monitor(made, PODMONITORS)
    made.cluster = Cluster(monitors=SERVICEMONITORS)
    monitor(made)
    assert made.of(PODMONITORS) == []
    made.change(runtime="tensorflow-serving")
    made.settle()
    assert made.of(SERVICEMONITORS) == []
