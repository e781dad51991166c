"""checkov's rules on the rendered chart: each that is not met stands here with its reason."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.environments import ensure_environment
from hack.generated.chart import CHART, rendered_chart

ROOT = Path(__file__).parents[2]
DIGEST = ("--set", f"image.digest=sha256:{'1' * 64}")
RENDERINGS: dict[str, Sequence[str]] = {
    "as it is": (),
    "a high availability": ("--values", str(ROOT / CHART / "ci" / "high-availability-values.yaml"), *DIGEST),
    "monitoring": ("--values", str(ROOT / CHART / "ci" / "monitoring-values.yaml"), *DIGEST),
    "some namespaces": ("--values", str(ROOT / CHART / "ci" / "namespaced-values.yaml"), *DIGEST),
}
# Rule and kind, and why it is not met.
REASONS = {
    ("CKV_K8S_11", "Deployment"): "A limit of CPU would throttle a leader that is busy until it loses its Lease.",
    ("CKV_K8S_11", "Pod"): "The test of a release makes one request and ends.",
    ("CKV_K8S_15", "Deployment"): "A tag of ours never moves, and a failover must not wait for a registry.",
    ("CKV_K8S_15", "Pod"): "As the Deployment, whose image it has.",
    ("CKV_K8S_38", "Deployment"): "An operator is nothing without the API server.",
    ("CKV_K8S_8", "Pod"): "The test of a release ends by itself, after a minute at the latest.",
    ("CKV_K8S_9", "Pod"): "Nobody calls the test of a release.",
    ("CKV2_K8S_6", "Pod"): "The test of a release lives for a moment, listens to nobody and has no token.",
}
# A digest is known once the image is built: whoever wants it sets image.digest.
WITHOUT_DIGEST = {("CKV_K8S_43", "Deployment"), ("CKV_K8S_43", "Pod")}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[str, str]]]:
    """Rule and kind of each failure, by rendering; all in one run."""
    folder = tmp_path_factory.mktemp("checkov")
    for number, arguments in enumerate(RENDERINGS.values()):
        (folder / f"{number}.yaml").write_text(yaml.safe_dump_all(rendered_chart(ROOT, *arguments)))
    report = checked(folder)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100 * len(RENDERINGS)
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in RENDERINGS}
    for each in report["results"]["failed_checks"]:
        name = list(RENDERINGS)[int(Path(each["file_path"]).stem)]
        found[name].add((each["check_id"], each["resource"].split(".")[0]))
    return found


def checked(folder: Path) -> Any:
    program = ensure_environment("checkov").with_name("checkov")
    options = [
        "--framework",
        "kubernetes",
        "--skip-download",
        "--quiet",
        "--compact",
        "--soft-fail",
        "--output",
        "json",
    ]
    command = [str(program), "--directory", str(folder), *options]
    # Nothing of who runs the test: no settings, no keys of an account.
    known = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=known)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", RENDERINGS)
def test_no_rule_of_checkov_is_broken_without_a_reason(failures: dict[str, set[tuple[str, str]]], name: str) -> None:
    expected = set(REASONS) | (WITHOUT_DIGEST if "image.digest" not in str(RENDERINGS[name]) else set())
    assert sorted(failures[name] - expected) == []


def test_every_reason_is_needed(failures: dict[str, set[tuple[str, str]]]) -> None:
    met = {failure for found in failures.values() for failure in found}
    assert sorted({*REASONS, *WITHOUT_DIGEST} - met) == []
