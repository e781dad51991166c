"""What lies in manifests/: the chart's objects, as kustomize builds them and as kubectl reads the folders."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from hack.generated.chart import CHART, plain_chart
from hack.generated.kustomize import OVERLAYS
from hack.generated.patches import operations

ROOT = Path(__file__).parents[3]
MANIFESTS = ROOT / "manifests"
KUBECTL = Path(sys.executable).with_name("kubectl")


def built(folder: Path) -> dict[tuple[str, str], Any]:
    """What kustomize makes of a folder, by kind and name."""
    done = subprocess.run([str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return by_name(yaml.safe_load_all(done.stdout))


def by_name(objects: Any) -> dict[tuple[str, str], Any]:
    found = [((each["kind"], each["metadata"]["name"]), each) for each in objects if each]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("overlay", ["", *OVERLAYS])
def test_kustomize_makes_the_very_objects_that_helm_makes(overlay: str) -> None:
    values = ROOT / CHART / "ci" / f"{overlay}-values.yaml"
    chart = by_name(plain_chart(ROOT, *(["--values", str(values)] if overlay else [])))
    objects = built(MANIFESTS / "overlays" / overlay if overlay else MANIFESTS / "base")
    namespace = objects.pop(("Namespace", "aiop-system"))
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert objects == chart


def test_each_overlay_has_values_for_helm_and_the_reverse() -> None:
    files = {path.name.removesuffix("-values.yaml") for path in (ROOT / CHART / "ci").iterdir()}
    assert files == set(OVERLAYS) == {path.name for path in (MANIFESTS / "overlays").iterdir()}


def test_components_stand_beside_each_other(tmp_path: Path) -> None:
    both = ("high-availability", "monitoring")
    mine = tmp_path / "kustomization.yaml"
    path = os.path.relpath(MANIFESTS, tmp_path)
    mine.write_text(
        json.dumps({"resources": [f"{path}/base"], "components": [f"{path}/components/{name}" for name in both]})
    )
    objects = built(tmp_path)
    assert objects["Deployment", "aiop"]["spec"]["replicas"] == 3
    assert ("PriorityClass", "aiop") in objects
    assert ("PrometheusRule", "aiop") in objects


@pytest.mark.parametrize("folder", ["crds", "rbac", "operator"])
def test_a_folder_read_file_by_file_holds_objects_alone(folder: str) -> None:
    files = sorted((MANIFESTS / folder).glob("*.yaml"))
    objects = by_name(document for path in files for document in yaml.safe_load_all(path.read_text()))
    assert objects == built(MANIFESTS / folder)


def test_no_manifest_needs_a_reader_who_knows_anchors() -> None:
    for path in [*MANIFESTS.rglob("*.yaml"), *(ROOT / CHART).rglob("*.yaml")]:
        assert not any(isinstance(event, yaml.AliasEvent) for event in events(path)), path


def events(path: Path) -> Any:
    text = path.read_text()
    return [] if "{{" in text and "templates/crds" not in str(path) else yaml.parse(plain_text(text))


def plain_text(text: str) -> str:
    """A template without the lines that are Helm's."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("{{"))


trees = some.recursive(
    some.integers(0, 3) | some.sampled_from(["", "a", "b"]),
    lambda children: (
        some.lists(children, max_size=3) | some.dictionaries(some.sampled_from(["a", "b/c", "d~e", ""]), children)
    ),
    max_leaves=12,
)
objects = some.dictionaries(some.sampled_from(["a", "b/c", "d~e"]), trees, max_size=3)


@given(objects, objects)
def test_a_patch_turns_the_one_object_into_the_other(before: Any, after: Any) -> None:
    patched = copy.deepcopy(before)
    for each in operations(before, after):
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]]
        place = patched
        for part in parents:
            place = place[int(part) if isinstance(place, list) else part]
        key = int(last) if isinstance(place, list) else last
        if each["op"] == "remove":
            del place[key]
        else:
            assert (key in place) == (each["op"] == "replace") or isinstance(place, list)
            place[key] = each["value"]
    assert patched == after
