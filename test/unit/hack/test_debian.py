import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from hack import debian

if shutil.which("dpkg-deb") is None:
    pytest.skip("no dpkg-deb on this machine", allow_module_level=True)


def package(folder: Path, name: str, *files: str) -> Path:
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: 1:2.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@localhost>\n"
    (tree / "DEBIAN" / "control").write_text(f"{control}Description: a test\n", encoding="utf-8")
    for file in files:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(name, encoding="utf-8")
    made = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(made)], check=True, capture_output=True)
    return made


def test_an_old_packages_library_and_a_new_ones_lie_in_one_folder(tmp_path: Path) -> None:
    packages = [package(tmp_path, "old", "lib/one.so", "bin/tool"), package(tmp_path, "new", "usr/lib/two.so")]
    root = tmp_path / "root"
    debian.unpack(packages, root)
    assert {path.name for path in (root / "usr" / "lib").iterdir()} == {"one.so", "two.so"}
    assert (root / "lib").readlink() == Path("usr/lib")
    assert (root / "usr" / "bin" / "tool").read_text(encoding="utf-8") == "old"


def test_a_cut_package_is_named_and_not_unpacked_in_part_without_a_word(tmp_path: Path) -> None:
    whole = package(tmp_path, "cut", "usr/share/cut")
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(debian.DebianMissing):
        debian.unpack([whole], tmp_path / "root")


def test_a_packages_version_keeps_its_epoch(tmp_path: Path) -> None:
    assert debian.version(package(tmp_path, "epoch", "usr/share/epoch")) == "1:2.0-1"


def unreachable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose one mirror is not there."""
    sources, settings = folder / "sources.list", folder / "apt.conf"
    sources.write_text("deb http://127.0.0.1:9/debian bookworm main\n", encoding="utf-8")
    settings.write_text(f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\n', encoding="utf-8")
    monkeypatch.setenv("APT_CONFIG", str(settings))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_mirror_that_cannot_be_reached_is_named_and_asked_again_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable(tmp_path, monkeypatch)
    for _ in range(2):
        with pytest.raises(debian.DebianMissing, match=r"apt-get update failed .* 127\.0\.0\.1:9"):
            debian.download(["busybox-static"], tmp_path / "cache")


def test_older_lists_serve_while_no_mirror_can_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable(tmp_path, monkeypatch)
    lists = tmp_path / "cache" / "lists"
    lists.mkdir(parents=True)
    package(tmp_path, "known")
    fields = "Package: known\nVersion: 1:2.0-1\nArchitecture: all\nFilename: pool/known.deb\nSize: 1\nSHA256: 0\n"
    (lists / "127.0.0.1:9_debian_dists_bookworm_main_binary-all_Packages").write_text(fields, encoding="utf-8")
    (lists / "127.0.0.1:9_debian_dists_bookworm_InRelease").write_text("Suite: bookworm\n", encoding="utf-8")
    kept = tmp_path / "cache" / "packages" / "known_1%3a2.0-1_all.deb"
    kept.parent.mkdir()
    kept.write_text("", encoding="utf-8")
    assert debian.download(["known"], tmp_path / "cache") == [kept]


def test_a_disk_without_room_is_told_before_apt_waits_for_ever_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable(tmp_path, monkeypatch)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=9 << 20))
    with pytest.raises(debian.DebianMissing, match=r"9 MiB are free in .*, and Debian's packages need 150"):
        debian.download(["busybox-static"], tmp_path / "cache")


def test_a_program_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        (tmp_path / name).write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "_SECONDS", 0.1)
    with pytest.raises(debian.DebianMissing, match=r"apt-get update did not end within"):
        debian.download(["busybox-static"], tmp_path / "cache")
