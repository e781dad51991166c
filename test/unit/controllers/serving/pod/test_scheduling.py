"""Where pods may go: what was asked for, and what the GPU needs."""

from typing import Any

import pytest

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.pod.scheduling import scheduling
from support.servingspecs import workload_spec

NODE = "requiredDuringSchedulingIgnoredDuringExecution"


def fields(**asked: Any) -> dict[str, Any]:
    return scheduling(workload_spec({"modelName": "m", "framework": "ONNX", **asked}), "w")


def terms(**asked: Any) -> list[Any]:
    found: list[Any] = fields(**asked)["affinity"]["nodeAffinity"][NODE]["nodeSelectorTerms"]
    return [term["matchExpressions"] for term in found]


def test_nothing_asked_is_nothing_said() -> None:
    assert fields() == {"tolerations": []}


def test_a_gpu_product_is_looked_for_by_the_label_of_feature_discovery() -> None:
    product = {"key": "nvidia.com/gpu.product", "operator": "In", "values": ["A100", "H100"]}
    assert terms(gpu={"product": ["A100", "H100"]}) == [[product]]
    assert fields(gpu={"product": ["A100"]})["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


# What cards of that size report, in MiB: T4, A10G, L4, A100 40 GB, L40S, A100 80 GB, H100.
@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        ("16Gi", 15360),
        ("24Gi", 22731),
        ("24G", 23034),
        ("40Gi", 40960),
        ("48Gi", 46068),
        ("80Gi", 81251),
        ("80Gi", 81559),
    ],
)
def test_memory_is_asked_for_as_it_is_sold(asked: str, reported: int) -> None:
    ((needed,),) = terms(gpu={"memory": asked})
    assert needed["key"] == "nvidia.com/gpu.memory"
    assert needed["operator"] == "Gt"
    assert int(needed["values"][0]) < reported


@pytest.mark.parametrize(("asked", "smaller"), [("24Gi", 16384), ("40Gi", 32768), ("48Gi", 40960), ("80Gi", 65536)])
def test_a_smaller_card_never_will_do(asked: str, smaller: int) -> None:
    ((needed,),) = terms(gpu={"memory": asked})
    assert int(needed["values"][0]) >= smaller


@pytest.mark.parametrize("memory", ["1", "1m", "1e30", "1e999999999", 0])
def test_a_memory_that_no_gpu_has_is_refused_with_an_example(memory: Any) -> None:
    with pytest.raises(NotAccepted, match="80Gi") as refused:
        fields(gpu={"memory": memory})
    assert refused.value.reason == "InvalidGpuMemory"


def test_the_gpus_needs_hold_in_each_of_the_users_terms() -> None:
    zones = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]} for zone in ("a", "b")]
    affinity = {"nodeAffinity": {NODE: {"nodeSelectorTerms": zones}}}
    found = terms(affinity=affinity, gpu={"product": ["L4"]})
    assert [[each["key"] for each in term] for term in found] == [["zone", "nvidia.com/gpu.product"]] * 2


def test_affinity_arrives_as_it_was_written() -> None:
    near = {"podAffinityTerm": {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"}, "weight": 3}
    affinity = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [near]}}
    assert fields(affinity=affinity)["affinity"] == affinity


def test_servers_of_one_version_spread_among_themselves() -> None:
    (constraint,) = fields(topologySpreadConstraints=[{"topologyKey": "zone"}])["topologySpreadConstraints"]
    assert constraint == {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"geartickler.com/aiworkload": "w"}},
        "matchLabelKeys": ["geartickler.com/revision"],
    }
