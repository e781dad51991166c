"""The program as the kubelet runs it, as far as no library is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(tmp_path: Path, *arguments: str, **environment: str) -> tuple[int, str, dict[str, object]]:
    log = tmp_path / "log"
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "aiop.fetcher", *arguments],
        env={**known, "AIOP_TERMINATION_LOG": str(log)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, json.loads(log.read_text())


@pytest.mark.parametrize("command", ["measure", "fetch"])
def test_a_uri_that_cannot_be_fetched_ends_with_2_and_the_fix(command: str, tmp_path: Path) -> None:
    code, said, outcome = run(tmp_path, command, "file:///etc/passwd", str(tmp_path / "model"))
    assert (code, outcome["reason"]) == (2, "BadUri")
    assert said == f"BadUri: {outcome['message']}\n"
    assert "s3://" in str(outcome["message"])
    assert not (tmp_path / "model").exists()


def test_a_credential_in_the_uri_is_said_nowhere(tmp_path: Path) -> None:
    _, said, outcome = run(
        tmp_path, "measure", "https://bob:planted@host/model.onnx?sig=planted", str(tmp_path / "model")
    )
    assert outcome["reason"] == "BadUri"
    assert "planted" not in said + json.dumps(outcome)


@pytest.mark.parametrize("arguments", [(), ("measure",), ("remove", "s3://models", "/model"), ("--help",)])
def test_a_wrong_call_says_how_to_call(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, _, outcome = run(tmp_path, *arguments)
    assert (code, outcome["reason"]) == (1, "Failed")
    assert "measure|fetch URI FOLDER" in str(outcome["message"])


def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    code, _, outcome = run(tmp_path, "measure", "s3://models/bert", str(tmp_path / "model"), AIOP_MAX_BYTES="10Gi")
    assert (code, outcome["reason"]) == (1, "Failed")
    assert "AIOP_MAX_BYTES" in str(outcome["message"])


def test_a_library_that_is_missing_is_a_failure_with_a_last_word(tmp_path: Path) -> None:
    code, _, outcome = run(tmp_path, "measure", "s3://models/bert", str(tmp_path / "model"))
    assert (code, outcome["reason"]) == (1, "Failed")
    assert "boto3" in str(outcome["message"])
