"""The page of all metrics, out of the registries that the operator fills: names, types, labels and meaning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import Metric

from aiop.cli.manager import LEASE_NAME
from aiop.controllers.serving.metrics import ServingMetrics
from aiop.controllers.serving.modelfetches import ModelFetches
from aiop.controllers.serving.workloadgauges import CONDITION_TYPES, WORKLOAD_GAUGES
from aiop.runtime.manager.metrics import Metrics

_OWN = "aiop_"
# What a histogram's family has in place of its own name.
_HISTOGRAM = ("_bucket", "_sum", "_count")
# Three gauges have a series for each type of condition, the others one each.
_BY_TYPE = 3
SERIES_OF_A_WORKLOAD = _BY_TYPE * len(CONDITION_TYPES) + len(WORKLOAD_GAUGES) - _BY_TYPE

_INTRODUCTION = """# Metrics

The operator serves them on `/metrics`, port 8080 by default; [how to monitor](../how-to/monitor.md) says how to collect
them. Times are seconds, counters end with `_total`, and whatever can be known beforehand shows from the start as 0.

A metric of one AIWorkload has the labels `namespace` and `name`. The others have no namespace of their own: what
collects them adds the operator's. So scrape with `honorLabels: true`, as the chart's ServiceMonitor does, or a
workload's `namespace` becomes `exported_namespace`.
"""

_WORKLOADS = f"""
## AIWorkloads

Read off the status of each AIWorkload at the moment of a scrape. **Only the replica that leads shows them**: two would
count everything twice. For as long as a scrape interval a takeover may show a workload on both replicas, or on none, so
aggregate with `max by (namespace, name)` rather than with `sum`.

A workload has at most {SERIES_OF_A_WORKLOAD} series: {_BY_TYPE} for each of the {len(CONDITION_TYPES)} types of
conditions, and {len(WORKLOAD_GAUGES) - _BY_TYPE} more. They go when it is deleted. No label has a value that grows
without bound: types and reasons are those of [the list of reasons](conditions.md) (a reason that is not in it shows as
`Other`), and one version, runtime and framework stand there at a time.

A condition is one series of 1 or 0, with no label for its status. So it can be averaged over time (a share of time
Ready), it has no gap when it flips, and it costs a third of what a series for each of True, False and Unknown would.
Why it is what it is says `aiop_workload_condition_reason`.
"""

_OPERATOR = """
## The operator's own work

Counted by each replica by itself; the sum over all replicas is right.
"""

_RUNTIME = """
## The runtime

Under controller-runtime's and client-go's names where they have one, so that existing dashboards work. Other operators
use the same names: `… and on (job, instance) aiop_build_info` keeps this operator's.
"""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of series: ``name`` with a counter's `_total`; ``labels`` without a bucket's ``le``."""

    name: str
    type: str
    labels: tuple[str, ...]
    documentation: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query can use."""
        return tuple(self.name + part for part in _HISTOGRAM) if self.type == "histogram" else (self.name,)


def families() -> list[Family]:
    """Every family that the operator shows."""
    gauges = [
        Family(each.name, "gauge", ("namespace", "name", *each.labels), each.documentation) for each in WORKLOAD_GAUGES
    ]
    return gauges + [_family(metric) for metric in everything_measured().registry.collect()]


def metrics_page() -> str:
    """The whole page."""
    found = families()
    gauges = {gauge.name for gauge in WORKLOAD_GAUGES}
    workloads = [family for family in found if family.name in gauges]
    own = [family for family in found if family.name.startswith(_OWN) and family.name not in gauges]
    runtime = [family for family in found if not family.name.startswith(_OWN)]
    parts = [_INTRODUCTION, _WORKLOADS, *_table(workloads), _OPERATOR, *_table(own), _RUNTIME, *_table(runtime)]
    return "\n".join(parts) + "\n"


def _table(found: Sequence[Family]) -> Iterator[str]:
    yield "| metric | type | labels | what it says |"
    yield "|---|---|---|---|"
    for family in found:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        yield f"| `{family.name}` | {family.type} | {labels} | {family.documentation} |"


def _family(metric: Metric) -> Family:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    labels = {label: None for sample in metric.samples for label in sample.labels if label != "le"}
    return Family(name, metric.type, tuple(labels), metric.documentation)


def everything_measured() -> Metrics:
    """Each metric with one series at least: what was never touched has no labels to show."""
    metrics = Metrics()
    ServingMetrics(metrics.registry, ["Deployment"])
    ModelFetches(metrics.registry, leads=lambda: True)
    metrics.controllers.started("serving", 1)
    metrics.queues.watch("serving", list)
    metrics.informers.started("pods")
    metrics.leads(LEASE_NAME, leading=True)
    metrics.requested("GET", "https://kubernetes.default.svc", 200)
    return metrics
