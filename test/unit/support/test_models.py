"""The makers of test models, without the libraries that they need: what they write is asked by the real servers."""

import subprocess
from pathlib import Path

import pytest

from support import models


def test_models_of_one_maker_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> None:
        runs.append(command)
        Path(command[-1]).mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(models, "ensure_environment", lambda name: tmp_path / name)
    monkeypatch.setattr(subprocess, "run", run)
    assert models.iris().folder.parent == models.affine().folder.parent
    assert len(runs) == 1
    assert models.iris().files("1") == models.iris().folder / "1"
    assert set(models.affine().answers) < set(models.VERSIONS)
