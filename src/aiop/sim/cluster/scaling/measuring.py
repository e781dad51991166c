"""What all metrics of one HPA ask for together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiop.sim.cluster.amounts import amount
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.scaling.errors import NoMetric
from aiop.sim.cluster.scaling.replicas import Measured, Proposal, ResourceTarget, Tolerances, proposal

# What the API server gives an HPA without metrics.
_DEFAULT = ({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
             "averageUtilization": 80}}},)  # fmt: skip
_MILLI = 1000
_FIELDS = {"Resource": "resource", "ContainerResource": "containerResource"}
_NOT_SERVED = "the server could not find the requested resource"


@dataclass(slots=True)
class Measurement:
    """``replicas`` is the most that any metric asks for, by the metric ``title``; ``failures`` are those not had."""

    replicas: int = 0
    title: str = ""
    statuses: list[Object] = field(default_factory=list)
    failures: list[NoMetric] = field(default_factory=list)
    metrics: int = 0

    def tells(self, current: int) -> bool:
        """False if no metric could be had, or if fewer replicas are asked for and one of them could not."""
        if not self.failures:
            return True
        return len(self.failures) < self.metrics and self.replicas >= current


def measure(
    scaler: Object, pods: Sequence[Object], measured: Measured, current: int, now: datetime, tolerances: Tolerances
) -> Measurement:
    """Ask every metric of the HPA's spec."""
    found = Measurement()
    for metric in scaler["spec"].get("metrics") or _DEFAULT:
        found.metrics += 1
        try:
            target = _target_of(metric)
            asked = proposal(pods, measured, target, current, now, tolerances)
        except NoMetric as failure:
            found.failures.append(failure)
            continue
        found.statuses.append(_status(metric, asked))
        if asked.replicas > found.replicas:
            found.replicas, found.title = asked.replicas, target.title
    return found


def _target_of(metric: Object) -> ResourceTarget:
    """Raises NoMetric for what is served by no API here."""
    kind = metric["type"]
    if kind not in _FIELDS:
        words = f"unable to fetch metrics from {'external' if kind == 'External' else 'custom'} metrics API"
        raise NoMetric(f"FailedGet{kind}Metric", f"unable to get the {kind} metric: {words}: {_NOT_SERVED}")
    source = metric[_FIELDS[kind]]
    target = source["target"]
    if target.get("averageUtilization") is not None:
        return ResourceTarget(source["name"], source.get("container", ""), int(target["averageUtilization"]))
    if target.get("averageValue") is None:
        words = "invalid resource metric source: neither an average utilization nor an average value is set"
        raise NoMetric(f"FailedGet{kind}Metric", words)
    average = int(amount(target["averageValue"]) * _MILLI)
    return ResourceTarget(source["name"], source.get("container", ""), average=average)


def _status(metric: Object, asked: Proposal) -> Object:
    name = _FIELDS[metric["type"]]
    source = metric[name]
    current: Object = {"averageValue": _quantity(asked.average)}
    if asked.utilization is not None:
        current["averageUtilization"] = asked.utilization
    container = {"container": source["container"]} if source.get("container") else {}
    return {"type": metric["type"], name: {"name": source["name"], **container, "current": current}}


def _quantity(thousandths: int) -> str:
    return f"{thousandths}m" if thousandths % _MILLI else str(thousandths // _MILLI)
