"""What the chart makes for Prometheus and Grafana."""

import json
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.generated.chart import rendered_chart
from hack.helm import ensure_helm
from support.promtool import RULES, alerts, groups, promtool

ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "charts" / "aiop" / "files" / "dashboards").glob("*.json"))
API = ("--api-versions", "monitoring.coreos.com/v1")
MONITORS = ("ServiceMonitor", "PodMonitor")
KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


def rendered(*settings: str, api: bool = True, json_settings: tuple[str, ...] = ()) -> list[Any]:
    words = [word for setting in settings for word in ("--set", f"metrics.{setting}")]
    words += [word for setting in json_settings for word in ("--set-json", f"metrics.{setting}")]
    return rendered_chart(ROOT, *words, *(API if api else ()))


def only(objects: list[Any], kind: str) -> Any:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def value_of(kind: str) -> str:
    return kind[0].lower() + kind[1:]


def test_nothing_for_prometheus_or_grafana_is_made_unasked() -> None:
    objects = rendered()
    assert not KINDS & {each["kind"] for each in objects}
    assert not [each for each in objects if "grafana_dashboard" in each["metadata"]["labels"]]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_objects_of_the_prometheus_operator_need_its_api_or_to_be_forced(kind: str) -> None:
    switch = f"{value_of(kind)}.create=true"
    assert kind not in {each["kind"] for each in rendered(switch, api=False)}
    only(rendered(switch), kind)
    only(rendered(switch, "force=true", api=False), kind)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_object_of_the_prometheus_operator_can_lie_in_another_namespace_with_other_labels(kind: str) -> None:
    name = value_of(kind)
    settings = (f"{name}.create=true", f"{name}.namespace=monitoring", f"{name}.additionalLabels.release=prometheus")
    metadata = only(rendered(*settings), kind)["metadata"]
    assert metadata["namespace"] == "monitoring"
    assert metadata["labels"]["release"] == "prometheus"
    assert metadata["labels"]["app.kubernetes.io/name"] == "aiop"


@pytest.mark.parametrize("kind", MONITORS)
def test_a_monitor_finds_what_it_scrapes_and_keeps_the_labels_of_workloads(kind: str) -> None:
    objects = rendered(f"{value_of(kind)}.create=true", f"{value_of(kind)}.namespace=monitoring")
    monitor = only(objects, kind)["spec"]
    scraped = only(objects, "Service")["metadata"] if kind == "ServiceMonitor" else only(objects, "Deployment")
    labels = scraped["labels"] if kind == "ServiceMonitor" else scraped["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["namespaceSelector"] == {"matchNames": ["aiop-system"]}
    (endpoint,) = monitor["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    assert endpoint == {"port": "metrics", "path": "/metrics", "honorLabels": True}


@pytest.mark.parametrize("kind", MONITORS)
def test_how_a_monitor_scrapes_can_be_set(kind: str) -> None:
    dropped = [{"action": "drop", "sourceLabels": ["__name__"], "regex": "write_lane_.*"}]
    named = [{"targetLabel": "cluster", "replacement": "one"}]
    settings = {
        "interval": "30s", "scrapeTimeout": "10s", "honorLabels": False, "relabelings": named,
        "metricRelabelings": dropped,
    }  # fmt: skip
    text = json.dumps({"create": True, **settings})
    spec = only(rendered(json_settings=(f"{value_of(kind)}={text}",)), kind)["spec"]
    (endpoint,) = spec["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    assert endpoint == {"port": "metrics", "path": "/metrics", **settings}


def test_two_monitors_that_would_scrape_the_same_pods_are_refused() -> None:
    command = [str(ensure_helm()), "template", "aiop", str(ROOT / "charts" / "aiop"), *API]
    both = ["--set", "metrics.serviceMonitor.create=true,metrics.podMonitor.create=true"]
    done = subprocess.run([*command, *both], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "would scrape the same pods" in done.stderr


def test_the_rule_object_has_the_rules_of_the_files_as_they_are(tmp_path: Path) -> None:
    rule = only(rendered("prometheusRule.create=true"), "PrometheusRule")
    assert rule["spec"]["groups"] == groups()
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(rule["spec"]))
    assert promtool("check", "rules", str(file)).returncode == 0


def test_alerts_can_be_left_out_labelled_and_led_to_other_runbooks() -> None:
    settings = ("disabledAlerts={AiopReplicaDown}", "alertLabels.team=ml", "runbookUrl=https://wiki.example.com/aiop")
    rule = only(
        rendered("prometheusRule.create=true", *(f"prometheusRule.{each}" for each in settings)), "PrometheusRule"
    )
    found = {each["alert"]: each for group in rule["spec"]["groups"] for each in group["rules"] if "alert" in each}
    assert found.keys() == alerts().keys() - {"AiopReplicaDown"}
    for name, alert in found.items():
        assert alert["labels"] == {**alerts()[name]["labels"], "team": "ml"}
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example.com/aiop/{name}.md"
    records = [each for group in rule["spec"]["groups"] for each in group["rules"] if "record" in each]
    assert records == [each for group in groups() for each in group["rules"] if "record" in each]


def test_no_label_of_the_values_takes_the_place_of_a_severity() -> None:
    rule = only(rendered("prometheusRule.create=true", "prometheusRule.alertLabels.severity=none"), "PrometheusRule")
    severities = {
        each["labels"]["severity"] for group in rule["spec"]["groups"] for each in group["rules"] if "alert" in each
    }
    assert severities == {"critical", "warning", "info"}


def test_each_dashboard_is_a_config_map_that_the_sidecar_finds() -> None:
    objects = rendered("dashboards.create=true", "dashboards.namespace=grafana", "dashboards.folder=ML", api=False)
    found = [each for each in objects if each["kind"] == "ConfigMap"]
    assert {name for each in found for name in each["data"]} == {path.name for path in DASHBOARDS}
    for each in found:
        ((name, text),) = each["data"].items()
        assert json.loads(text) == json.loads((DASHBOARDS[0].parent / name).read_text())
        assert each["metadata"]["namespace"] == "grafana"
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert each["metadata"]["annotations"] == {"grafana_folder": "ML"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_bound_to_no_data_source_and_to_no_cluster(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    assert dashboard["uid"] == path.stem
    variables = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert variables[:3] == ["datasource", "cluster", "namespace"]
    queries = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    for each in [*queries, *(target for panel in queries for target in panel["targets"])]:
        assert each["datasource"]["uid"] == "${datasource}"
    for target in (target for panel in queries for target in panel["targets"]):
        assert "$cluster" in target["expr"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_of_a_dashboard_lie_on_each_other(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, two in combinations([panel["gridPos"] for panel in panels], 2):
        apart = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel.get("description") for panel in panels if panel["type"] != "row")


def test_the_files_of_rules_are_all_taken() -> None:
    assert {path.name for path in RULES.iterdir()} == {path.name for path in RULES.glob("*.yaml")}
