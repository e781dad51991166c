import gzip
import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiop.fetcher.archives import Room, is_archive, unpack
from aiop.fetcher.errors import BadArchive, FetchError, TooLarge

PLENTY = Room(1024**3, 1000)
FILES = {"config.json": b"{}", "onnx/model.onnx": b"weights" * 1000, "empty": b""}
Packer = Callable[[Path, dict[str, bytes]], Path]


def tar(folder: Path, files: dict[str, bytes], mode: str = "w", name: str = "model.tar") -> Path:
    path = folder / name
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member, content in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def tar_gz(folder: Path, files: dict[str, bytes]) -> Path:
    return tar(folder, files, "w:gz", "model.tar.gz")


def tgz(folder: Path, files: dict[str, bytes]) -> Path:
    return tar(folder, files, "w:gz", "MODEL.TGZ")


def zip_(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return path


def special(folder: Path, info: tarfile.TarInfo, content: bytes = b"") -> Path:
    path = folder / "model.tar"
    with tarfile.open(path, "w") as archive:
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return path


def unpacked(archive: Path, room: Room = PLENTY) -> Path:
    folder = archive.parent / "unpacked"
    folder.mkdir(exist_ok=True)
    unpack(archive, archive.name, folder, room)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pack", [tar, tar_gz, tgz, zip_])
def test_an_archive_unpacks_to_its_files(pack: Packer, tmp_path: Path) -> None:
    folder = unpacked(pack(tmp_path, FILES))
    assert contents(folder) == FILES


@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
def test_the_room_that_is_left_is_told(pack: Packer, tmp_path: Path) -> None:
    archive = pack(tmp_path, FILES)
    (tmp_path / "unpacked").mkdir()
    left = unpack(archive, archive.name, tmp_path / "unpacked", Room(10_000, 10))
    assert left == Room(10_000 - 7002, 7)


def test_what_tar_makes_of_a_folder_unpacks(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "onnx").mkdir(parents=True)
    (source / "onnx" / "model.onnx").write_bytes(b"weights")
    with tarfile.open(tmp_path / "model.tgz", "w:gz") as archive:
        archive.add(source, ".")
    assert contents(unpacked(tmp_path / "model.tgz")) == {"onnx/model.onnx": b"weights"}


@pytest.mark.security(21)
def test_modes_and_owners_of_the_archive_are_not_made(tmp_path: Path) -> None:
    info = tarfile.TarInfo("run")
    info.mode, info.uid = 0o6777, 4242
    path = unpacked(special(tmp_path, info)) / "run"
    assert path.stat().st_mode & 0o7777 == 0o644
    assert path.stat().st_uid == os.getuid()


@pytest.mark.security(21)
@pytest.mark.parametrize("name", ["/etc/passwd", "../escape", "a/../../escape", "a/./../../escape", "a\\..\\b", "a\nb"])
@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
def test_a_name_that_leads_out_is_refused(pack: Packer, name: str, tmp_path: Path) -> None:
    archive = pack(tmp_path, {name: b"evil"})
    with pytest.raises(BadArchive):
        unpacked(archive)
    assert not (tmp_path / "escape").exists()
    assert contents(tmp_path / "unpacked") == {}


@pytest.mark.security(21)
@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices_are_refused_even_if_they_stay_inside(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.tar"
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "config.json"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("config.json"), io.BytesIO())
        archive.addfile(info)
    with pytest.raises(BadArchive, match="link, a device or a sparse"):
        unpacked(path)
    assert list(contents(tmp_path / "unpacked")) == ["config.json"]


@pytest.mark.security(21)
def test_a_link_that_a_second_member_writes_through_is_refused_at_the_link(tmp_path: Path) -> None:
    path = tmp_path / "model.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("folder")
        link.type, link.linkname = tarfile.SYMTYPE, "/elsewhere"
        archive.addfile(link)
        file = tarfile.TarInfo("folder/escape")
        file.size = 4
        archive.addfile(file, io.BytesIO(b"evil"))
    with pytest.raises(BadArchive):
        unpacked(path)


@pytest.mark.security(21)
@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
def test_a_link_that_lies_in_the_folder_already_is_not_followed(pack: Packer, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "unpacked"
    outside.mkdir()
    folder.mkdir()
    (folder / "onnx").symlink_to(outside)
    with pytest.raises(BadArchive):
        unpacked(pack(tmp_path, {"onnx/model.onnx": b"weights"}))
    assert list(outside.iterdir()) == []


@pytest.mark.security(21)
def test_a_symbolic_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadArchive, match="link"):
        unpacked(tmp_path / "model.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_compressions_that_choose_their_readers_memory_are_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w", method) as archive:
        archive.writestr("model.onnx", b"weights")
    with pytest.raises(BadArchive, match="stored or deflated"):
        unpacked(tmp_path / "model.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_(tmp_path, {"model.onnx": b"weights"}).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "model.zip").write_bytes(data)
    with pytest.raises(BadArchive, match="encrypted"):
        unpacked(tmp_path / "model.zip")


@pytest.mark.parametrize("pack", [tar, tar_gz])
@pytest.mark.parametrize("second", ["a", "a/b"])
def test_two_members_with_one_place_are_refused(pack: Packer, second: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("a", second):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(BadArchive, match=r"twice|file and"):
        unpacked(path)


@pytest.mark.security(21)
@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
def test_more_bytes_than_allowed_end_the_unpacking(pack: Packer, tmp_path: Path) -> None:
    archive = pack(tmp_path, {"model.onnx": b"w" * 5000})
    with pytest.raises(TooLarge, match="4999"):
        unpacked(archive, Room(4999, 10))
    assert contents(unpacked_anew(archive, Room(5000, 10))) == {"model.onnx": b"w" * 5000}


def unpacked_anew(archive: Path, room: Room) -> Path:
    folder = archive.parent / "anew"
    folder.mkdir()
    unpack(archive, archive.name, folder, room)
    return folder


@pytest.mark.security(21)
@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
def test_more_files_than_allowed_end_the_unpacking(pack: Packer, tmp_path: Path) -> None:
    archive = pack(tmp_path, {str(number): b"" for number in range(11)})
    with pytest.raises(TooLarge, match="AIOP_MAX_FILES"):
        unpacked(archive, Room(1000, 10))


@pytest.mark.security(21)
@pytest.mark.parametrize("pack", [tar_gz, zip_])
def test_a_bomb_is_refused_long_before_the_disk_is_full(pack: Packer, tmp_path: Path) -> None:
    archive = pack(tmp_path, {"zeros": bytes(150 * 1024 * 1024)})
    with pytest.raises(BadArchive, match="trap"):
        unpacked(archive)
    assert (tmp_path / "unpacked" / "zeros").stat().st_size < 110 * 1024 * 1024


@pytest.mark.own_process
def test_a_header_that_wants_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 4 * 1024**3
    with gzip.open(tmp_path / "model.tgz", "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(64):
            file.write(bytes(1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive, match="header"):
            unpacked(tmp_path / "model.tgz")
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_zip_directory_that_wants_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)
    with (tmp_path / "model.zip").open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
    with pytest.raises(BadArchive, match="header"):
        unpacked(tmp_path / "model.zip")


def test_a_size_below_zero_is_refused(tmp_path: Path) -> None:
    data = bytearray(tar(tmp_path, {"model.onnx": b"weights"}).read_bytes())
    data[124:136] = b"\xff" * 11 + b"\xf8"  # base-256: minus 8
    data[148:156] = b"        "
    data[148:156] = b"%06o\0 " % sum(data[:512])
    (tmp_path / "model.tar").write_bytes(data)
    with pytest.raises(BadArchive):
        unpacked(tmp_path / "model.tar")


@pytest.mark.parametrize("pack", [tar, tar_gz, zip_])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_truncated_archive_is_refused(pack: Packer, share: float, tmp_path: Path) -> None:
    archive = pack(tmp_path, {"model.onnx": os.urandom(20_000), "second": os.urandom(20_000)})
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadArchive):
        unpacked(archive)


@pytest.mark.parametrize("name", ["model.tar", "model.tar.gz", "model.zip"])
def test_a_web_page_in_an_archives_place_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("<html>Please log in</html>" * 100)
    with pytest.raises(BadArchive):
        unpacked(tmp_path / name)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model.onnx", b"weights" * 100)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadArchive):
        unpacked(path)


@given(st.binary(max_size=2000), st.sampled_from(["model.tar", "model.tgz", "model.zip"]), st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, packed: bool
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    content = data
    if packed and name == "model.tgz":
        content = gzip.compress(data)
    elif packed and name == "model.zip":
        compressed = zlib.compress(data)
        content = zip_(folder, {"a": data}).read_bytes().replace(b"a", compressed[:1])
    (folder / name).write_bytes(content)
    try:
        unpacked(folder / name)
    except FetchError:
        return


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.tar", True), ("a.tar.gz", True), ("a.TGZ", True), ("a.zip", True), ("a.gz", False), ("a.onnx", False)],
)
def test_archives_are_told_by_their_names(name: str, expected: bool) -> None:
    assert is_archive(name) is expected
