"""The PodDisruptionBudget: a drain takes one server at a time."""

from collections.abc import Mapping

from aiop.controllers.serving.names import workload_labels
from aiop.runtime.client.builtin import PODDISRUPTIONBUDGETS
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child


def disruption_budget(workload: ObjectKey, selector: Mapping[str, str]) -> Child:
    """One at a time, also of one: a budget that allows none would hold up every drain for ever."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(selector)}}
    return Child(PODDISRUPTIONBUDGETS, workload, {"metadata": {"labels": workload_labels(workload.name)}, "spec": spec})
