"""Whatever is asked of Prometheus anywhere exists: the metric, its labels, and the values that are ours to know."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from aiop.controllers.serving.metrics import ServingMetrics
from aiop.controllers.serving.reasons import REASONS
from aiop.controllers.serving.workloadgauges import CONDITION_TYPES, WORKLOAD_GAUGES, workload_samples
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.objectgauges import ObjectGauges
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from hack.generated.metrics import everything_measured, families
from support.promql import read
from support.promtool import promtool, rules

ROOT = Path(__file__).parents[3]
DASHBOARDS = ROOT / "charts" / "aiop" / "files" / "dashboards"
# What the scraping adds to every series.
TARGET = {"job", "instance", "namespace", "pod", "service", "container", "endpoint", "cluster"}
# Prometheus' own.
FOREIGN = {"up": TARGET, "ALERTS": TARGET | {"alertname", "alertstate", "severity"}}
# By label, every value that it can have; the others' values are a matter of the cluster.
VALUES = {
    "type": set(CONDITION_TYPES),
    "reason": {reason.name for reason in REASONS},
    "result": {"success", "error", "requeue", "requeue_after", "succeeded", "failed"},
    "outcome": {"created", "changed", "deleted", "refused", "foreign"},
    "code": {"200", "401", "403", "409", "429", "500", "503"},
    "method": {"GET", "POST", "PATCH", "PUT", "DELETE"},
    "controller": {"serving"},
    "priority": {"0", "-100"},
}
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_CODE = re.compile(r"```promql\n(.*?)```", re.DOTALL)
_HISTOGRAM_BUCKET = "_bucket"


def known() -> dict[str, set[str]]:
    """The labels of every series that a query may use."""
    ours = {series: {*family.labels, *TARGET} for family in families() for series in family.series}
    buckets = {series: labels | {"le"} for series, labels in ours.items() if series.endswith(_HISTOGRAM_BUCKET)}
    recorded = {
        rule["record"]: {*rule["record"].partition(":")[0].split("_"), "cluster"}
        for rule in rules()
        if "record" in rule
    }
    return {**ours, **buckets, **recorded, **FOREIGN}


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text())
        for number, query in enumerate(_queries(dashboard["panels"])):
            yield f"{path.stem} {number}", query
        for variable in dashboard["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
            if asked:
                yield f"{path.stem} ${variable['name']}", f"sum by ({asked[2]}) ({asked[1]})"
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for number, query in enumerate(_CODE.findall(page.read_text())):
            yield f"{page.name} {number}", query


def _queries(panels: list[Any]) -> Iterator[str]:
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))
        yield from _queries(panel.get("panels", []))


EXPRESSIONS = dict(expressions())


def filled_in(expression: str) -> str:
    """With Grafana's variables as Grafana fills them in."""
    return _VARIABLE.sub(
        lambda match: "5m" if match[1].endswith("interval") else "5m" if match[1] == "__range" else ".*", expression
    )


@pytest.mark.parametrize("where", sorted(EXPRESSIONS))
def test_every_metric_and_label_that_is_asked_for_exists(where: str) -> None:
    query, series = read(EXPRESSIONS[where]), known()
    assert query.selectors
    for name, matchers in query.selectors:
        assert name in series
        assert {matcher.label for matcher in matchers} <= series[name]
    assert query.labels <= set().union(*(series[name] for name, _ in query.selectors))


@pytest.mark.parametrize("where", sorted(EXPRESSIONS))
def test_every_value_that_is_asked_for_exists(where: str) -> None:
    for _, matchers in read(EXPRESSIONS[where]).selectors:
        for matcher in (each for each in matchers if "$" not in each.value):
            if matcher.label in VALUES:
                wanted = matcher.value.split("|") if "~" in matcher.operator else [matcher.value]
                for each in wanted:
                    assert any(re.fullmatch(each, value) for value in VALUES[matcher.label]), each


def test_promtool_can_parse_every_expression(tmp_path: Path) -> None:
    records = [
        {"record": "x", "expr": filled_in(each), "labels": {"n": str(n)}} for n, each in enumerate(EXPRESSIONS.values())
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": records}]}))
    done = promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stderr


def test_the_page_of_metrics_has_every_metric_of_the_registry_with_its_labels() -> None:
    metrics = Metrics()
    ServingMetrics(metrics.registry, [])
    found = {family.name.removesuffix("_total") for family in families()}
    assert {metric.name for metric in metrics.registry.collect()} <= found
    assert [metric.name for metric in everything_measured().registry.collect() if not metric.samples] == []


def test_promtool_has_nothing_to_say_about_the_exposition() -> None:
    text = generate_latest(everything_measured().registry)
    workloads = [CustomObject(ObjectMeta(name="bert", namespace="team"))]
    gauges = ObjectGauges(WORKLOAD_GAUGES, lambda: workloads, workload_samples)
    done = promtool("check", "metrics", given=text + asyncio.run(gauges.exposition()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_metric_is_named_as_prometheus_names_metrics(family: Any) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    assert family.documentation.endswith(".")
    assert not {"uid", "pod", "user"} & set(family.labels)
