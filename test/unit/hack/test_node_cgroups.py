"""A node's cgroup in trees as the kernel shows them, of both versions."""

from pathlib import Path

import pytest

from hack.node import cgroups
from hack.node.errors import MachineUnfit


def mounted(monkeypatch: pytest.MonkeyPatch, folder: Path, *roots: tuple[str, str]) -> None:
    lines = [f"cgroup {folder}/{name} {kind} rw 0 0\n" for name, kind in roots]
    (folder / "mounts").write_text("".join(["proc /proc proc rw 0 0\n", *lines]))
    monkeypatch.setattr(cgroups, "_MOUNTS", folder / "mounts")


def made(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(content)
    return folder


def test_in_version_1_every_hierarchy_has_it_with_its_parents_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, tmp_path, ("cpuset", "cgroup"), ("memory", "cgroup"), ("unified", "cgroup2"))
    made(tmp_path / "cpuset", cpuset_cpus="0-1\n", cpuset_mems="0\n")
    made(tmp_path / "cpuset" / "aiop-1", cpuset_cpus="\n", cpuset_mems="\n")  # the kernel makes them
    made(tmp_path / "memory")
    made(tmp_path / "unified", cgroup_controllers="", cgroup_subtree_control="")
    cgroups.make("aiop-1")
    assert (tmp_path / "cpuset" / "aiop-1" / "cpuset.cpus").read_text() == "0-1\n"
    assert (tmp_path / "cpuset" / "aiop-1" / "cpuset.mems").read_text() == "0\n"
    assert (tmp_path / "memory" / "aiop-1").is_dir()
    assert not (tmp_path / "unified" / "aiop-1").exists()


def test_in_version_2_the_root_hands_down_what_kubelet_insists_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, tmp_path, ("one", "cgroup2"))
    root = made(tmp_path / "one", cgroup_controllers="cpuset cpu io memory pids rdma\n")
    made(root, cgroup_subtree_control="memory pids\n")
    made(root / "aiop-1", cpuset_cpus="\n", cpuset_mems="\n")  # where a root of version 2 has none
    cgroups.make("aiop-1")
    assert (root / "cgroup.subtree_control").read_text() == "+cpu +cpuset"


def test_in_version_2_nothing_is_written_where_all_is_handed_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, tmp_path, ("one", "cgroup2"))
    root = made(tmp_path / "one", cgroup_controllers="cpu memory\n", cgroup_subtree_control="cpu memory\n")
    cgroups.make("aiop-1")
    assert (root / "cgroup.subtree_control").read_text() == "cpu memory\n"
    assert (root / "aiop-1").is_dir()


def test_a_root_that_hands_nothing_down_is_told_with_what_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, tmp_path, ("one", "cgroup2"))
    root = made(tmp_path / "one", cgroup_controllers="cpu\n", cgroup_subtree_control="")
    known = Path.write_text

    def refuse(path: Path, text: str) -> int:
        if path.name == "cgroup.subtree_control":
            raise OSError(16, "Device or resource busy")
        return known(path, text)

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(MachineUnfit, match=r"does not take \+cpu \(Device or resource busy\)"):
        cgroups.make("aiop-1")
    assert not (root / "aiop-1").exists()


def test_a_container_is_found_by_its_id_in_each_hierarchy_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, tmp_path, ("cpu", "cgroup"), ("memory", "cgroup"), ("pids", "cgroup"))
    found = [tmp_path / root / "aiop-1" / "kubepods" / "pod1" / "abc" for root in ("cpu", "memory")]
    for group in (*found, tmp_path / "pids" / "aiop-2" / "abc"):
        made(group)
    assert cgroups.find("aiop-1", "abc") == found[0]
    assert cgroups.find_all("aiop-1", "abc") == found
    assert cgroups.find("aiop-1", "other") is None
    assert cgroups.names() == {"aiop-1", "aiop-2"}
    cgroups.remove("aiop-1")
    assert cgroups.names() == {"aiop-2"}
