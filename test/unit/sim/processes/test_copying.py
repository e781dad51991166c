"""Commands of `kubectl cp` among all others."""

from pathlib import Path

import pytest

from aiop.sim.processes.copying import archive_of
from aiop.sim.processes.mounts import Mounts


@pytest.mark.parametrize(
    "command",
    [
        ["tar", "cf", "-", "/elsewhere/file"],
        ["tar", "cf", "-", "/data/../../etc/passwd"],
        ["tar", "cf", "-", "/data/file", "/data/other"],
        ["tar", "xf", "-", "/data/file"],
        ["tar", "cf", "-", "/settings"],
        ["cat", "/data/file"],
        [],
    ],
)
def test_any_other_command_is_left_as_it_is_and_makes_nothing(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "file").touch()
    mounts = Mounts({"/data": tmp_path / "volume", "/settings": tmp_path / "file"})
    assert archive_of(command, mounts, tmp_path / "names") is None
    assert not (tmp_path / "names").exists()


def test_a_mount_of_everything_is_not_linked(tmp_path: Path) -> None:
    assert archive_of(["tar", "cf", "-", "/etc"], Mounts({"/": tmp_path}), tmp_path / "names") is None


def test_a_path_in_a_mount_is_archived_by_its_own_name_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    mounts = Mounts({"/var/data": tmp_path / "volume"})
    for _ in range(2):
        made = archive_of(["tar", "cf", "-", "/var/data/a/b"], mounts, tmp_path / "names")
        assert made is not None
        assert made[:4] == ["tar", "cf", "-", "-C"]
        assert (Path(made[4]) / "var" / "data").resolve() == tmp_path / "volume"
        assert made[5] == "var/data/a/b"
