"""Settings of single versions: taken while modelVersion names them, and never otherwise."""

from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec, effective
from support.servingspecs import workload_spec

SETTINGS = {
    "name": "v2",
    "modelUri": "s3://bucket/v2",
    "image": "server:2",
    "args": ["--two"],
    "env": [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
    "resources": {"limits": {"memory": "8Gi"}},
}


def spec(version: str) -> AIWorkloadSpec:
    raw: dict[str, Any] = {
        "modelName": "m",
        "modelVersion": version,
        "framework": "ONNX",
        "args": ["--one"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        "resources": {"limits": {"memory": "4Gi"}},
        "versions": [SETTINGS],
    }
    return effective(workload_spec(raw))


def test_a_version_without_settings_is_the_workload_as_it_is() -> None:
    plain = spec("v1")
    assert (plain.model_uri, plain.image, plain.args) == (None, None, ["--one"])
    assert plain.versions == []


def test_the_settings_of_the_served_version_take_their_places() -> None:
    own = spec("v2")
    assert (own.model_uri, own.image, own.args) == ("s3://bucket/v2", "server:2", ["--two"])
    assert own.resources.limits == {"memory": "8Gi"}
    assert {each.name: each.value for each in own.env} == {"A": "1", "B": "2", "C": "3"}


def test_settings_of_other_versions_change_nothing() -> None:
    without = effective(workload_spec({"modelName": "m", "modelVersion": "v1", "framework": "ONNX"}))
    settled = workload_spec({"modelName": "m", "modelVersion": "v1", "framework": "ONNX", "versions": [SETTINGS]})
    assert effective(settled) == without
