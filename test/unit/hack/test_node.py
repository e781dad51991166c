"""What a caller of `make cluster` is told when no cluster can be had, and that nothing of others is touched."""

import fcntl
import os
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from hack.node import __main__ as commands
from hack.node import cluster, machine
from hack.node.cluster import NodeCluster
from hack.node.errors import FolderUnfit
from support.kubectl import eventually


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where no cluster runs; the caller passes for root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("AIOP_NODE_FOLDER", str(tmp_path / "node"))
    return tmp_path / "node"


def asked(verb: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["hack.node", verb])
    return commands.main()


@pytest.mark.parametrize("verb", ["up", "down"])
def test_without_root_both_commands_say_so_in_one_line(
    verb: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert asked(verb, monkeypatch) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "needs root" in told.err
    assert "sudo" in told.err
    assert not folder.exists()


def test_another_system_is_told_that_a_cluster_needs_linux(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert asked("up", monkeypatch) == 1
    assert "needs Linux" in capsys.readouterr().err
    assert not folder.exists()


def test_a_machine_that_lets_nobody_make_namespaces_is_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "UNSHARE", ("sh", "-c", "echo not permitted >&2; exit 1", "sh"))
    assert asked("up", monkeypatch) == 1
    assert "no namespaces here (not permitted)" in capsys.readouterr().err


def test_a_full_disk_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: NodeCluster) -> bool:
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr(NodeCluster, "attach", full)
    assert asked("up", monkeypatch) == 1
    assert capsys.readouterr().err == "[Errno 28] No space left on device: '/somewhere'\n"


def test_one_command_waits_for_another_in_the_same_place_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = os.open(folder.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    waiting = threading.Thread(target=asked, args=("down", monkeypatch))
    waiting.start()
    said = eventually(lambda: capsys.readouterr().out)
    assert "waiting for it" in said
    assert "nothing is left" not in said
    os.close(other)
    waiting.join()
    assert "nothing is left" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["thesis.txt", "state/thesis.txt", "plane/thesis.txt"])
def test_a_folder_with_files_of_others_is_refused_and_they_stay(
    file: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text("years of work")
    (folder / "logs").mkdir()
    (folder / "logs" / "kubelet.log").write_text("of an ended cluster")
    monkeypatch.setattr(machine, "insist", lambda: None)
    monkeypatch.setattr(cluster, "ensure_programs", lambda: SimpleNamespace(environment={}))
    with pytest.raises(FolderUnfit, match=file.partition("/")[0]):
        NodeCluster(folder).start()
    assert asked("down", monkeypatch) == 0
    assert (folder / file).read_text() == "years of work"
    assert not (folder / "logs").exists()


def test_a_folder_whose_sockets_would_have_too_long_a_path_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "insist", lambda: None)
    monkeypatch.setattr(cluster, "ensure_programs", lambda: SimpleNamespace(environment={}))
    with pytest.raises(FolderUnfit, match="bytes too long"):
        NodeCluster(folder / ("long" * 25)).start()


def test_a_disk_without_room_for_a_cluster_is_told_before_one_is_tried(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "insist", lambda: None)
    monkeypatch.setattr(cluster, "ensure_programs", lambda: SimpleNamespace(environment={}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=9 << 20))
    with pytest.raises(FolderUnfit, match=r"9 MiB are free in .*, and a cluster needs 512"):
        NodeCluster(folder).start()
    assert not folder.exists()
