import pytest

from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES


@pytest.mark.parametrize("name", [name for name in DEFAULT_RUNTIMES if name.startswith("mlserver")])
def test_mlserver_writes_only_where_a_read_only_root_lets_it(name: str) -> None:
    runtime = ServingRuntimeSpec.model_validate(DEFAULT_RUNTIMES[name])
    # Metrics of several processes and unpacked environments: by default both lie in the image's own folder.
    folders = {each.name: each.value for each in runtime.env if each.name.endswith("_DIR")}
    assert set(folders) == {"MLSERVER_METRICS_DIR", "MLSERVER_ENVIRONMENTS_DIR"}
    assert runtime.read_only_root_filesystem
    assert all(str(folder).startswith("/tmp/") for folder in folders.values())  # noqa: S108
