"""Unpacking .tar, .tar.gz, .tgz and .zip when every byte of them may be hostile.

Only regular files and folders are unpacked, written anew here: no link, no device, no owner, no mode of the archive is
ever made. Bytes, files and the ratio of unpacked to packed are capped while they come, and no header may make the
reader hold more than a bounded piece in memory. Compressions that let an archive choose how much memory its reader
takes (LZMA, bzip2 in zip) are refused.
"""

import errno
import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from aiop.fetcher.errors import BadArchive, Failed, TooLarge
from aiop.fetcher.files import create_file, make_folders
from aiop.fetcher.names import checked_name

_TAR, _GZIPPED, _ZIP = (".tar",), (".tar.gz", ".tgz"), (".zip",)
SUFFIXES = (*_TAR, *_GZIPPED, *_ZIP)
_CHUNK = 1024 * 1024
# A tar header with its extensions, and a zip's whole directory of 100,000 files with names of 100 bytes, fit in it.
_HEADER_BYTES = 16 * 1024 * 1024
# Deflate reaches 1032 for zeros; models seldom pass 10. Small archives may, since they do no harm.
_RATIO, _RATIO_FREE_BYTES = 200, 64 * 1024 * 1024
# What `tar --create --directory model .` calls the folder itself.
_ROOT = (".", "./")
_FOLDER_MODE, _ENCRYPTED, _UNIX_TYPE = 0o40000, 0x1, 0o170000
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes and files may be unpacked."""

    bytes: int
    files: int


def is_archive(name: str) -> bool:
    """Whether a file of that name is one that `unpack` takes."""
    return name.lower().endswith(SUFFIXES)


def unpack(archive: Path, kind: str, folder: Path, room: Room) -> Room:
    """Unpack ``archive`` into ``folder`` and return the room that is left.

    ``kind`` is a name whose end tells the format. Raises BadArchive, TooLarge, and OSError when writing fails. What was
    written before an error stays.
    """
    meter = _Meter(room, archive.stat().st_size)
    with archive.open("rb") as packed, _as_bad_archive():
        if kind.lower().endswith(_ZIP):
            _unpack_zip(packed, folder, meter)
        elif kind.lower().endswith(_TAR):
            _unpack_tar(packed, folder, meter)
        else:
            with gzip.GzipFile(fileobj=packed) as plain:
                _unpack_tar(cast("BinaryIO", plain), folder, meter)
    return Room(room.bytes - meter.bytes, room.files - meter.files)


class _Meter:
    """Counts what comes out and raises when it is too much."""

    def __init__(self, room: Room, packed: int) -> None:
        self._room = room
        self._most = packed * _RATIO + _RATIO_FREE_BYTES
        self.bytes = self.files = 0

    def file(self) -> None:
        self.files += 1
        if self.files > self._room.files:
            raise TooLarge("The archive holds more files than AIOP_MAX_FILES allows.")

    def piece(self, size: int) -> None:
        self.bytes += size
        if self.bytes > self._most:
            raise BadArchive(f"The archive unpacks to more than {_RATIO} times its size; it looks like a trap.")
        if self.bytes > self._room.bytes:
            raise TooLarge(f"The archive unpacks to more than the {self._room.bytes} bytes that are allowed or free.")


class _Headers:
    """A stream whose reads together stay below a budget, renewed before each header: tarfile trusts them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _HEADER_BYTES

    def renew(self) -> None:
        self._left = _HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(piece)
        if self._left < 0 or size > len(piece) + self._left:
            raise BadArchive("The archive has a header that is larger than any real one.")
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def _unpack_tar(stream: BinaryIO, folder: Path, meter: _Meter) -> None:
    headers = _Headers(stream)
    with tarfile.open(fileobj=cast("IO[bytes]", headers), mode="r:") as tar:
        while True:
            headers.renew()
            member = tar.next()
            if member is None:
                return
            tar.members.clear()  # type: ignore[attr-defined]  # it would grow with the archive; nothing looks back
            _tar_member(tar, member, folder, meter, headers)


def _tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, meter: _Meter, headers: _Headers) -> None:
    meter.file()
    if member.isdir() and member.name in _ROOT:
        return
    name = _name_in_archive(member.name)
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise BadArchive(f"The archive holds {name!a}, which is a link, a device or a sparse file; pack plain files.")
    try:
        tarfile.data_filter(member, str(folder))
    except tarfile.FilterError as error:
        raise BadArchive(f"The archive holds {name!a}, which leads out of its folder.") from error
    if member.isdir():
        make_folders(folder, name)
        return
    content = tar.extractfile(member)
    if content is not None:
        _write(cast("BinaryIO", content), member.size, folder, name, meter, headers)


def _unpack_zip(stream: BinaryIO, folder: Path, meter: _Meter) -> None:
    headers = _Headers(stream)
    with zipfile.ZipFile(cast("IO[bytes]", headers)) as archive:
        for member in archive.infolist():
            headers.renew()
            _zip_member(archive, member, folder, meter, headers)


def _zip_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, meter: _Meter, headers: _Headers
) -> None:
    meter.file()
    if member.filename in _ROOT:
        return
    name = _name_in_archive(member.filename)
    kind = (member.external_attr >> 16) & _UNIX_TYPE
    if kind not in {0, 0o100000, _FOLDER_MODE}:
        raise BadArchive(f"The archive holds {name!a}, which is a link or a device; pack plain files.")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _ZIP_METHODS:
        raise BadArchive(f"The archive holds {name!a}, encrypted or packed otherwise than stored or deflated.")
    if member.is_dir():
        make_folders(folder, name)
        return
    with archive.open(member) as content:
        _write(cast("BinaryIO", content), member.file_size, folder, name, meter, headers)


def _write(content: BinaryIO, size: int, folder: Path, name: str, meter: _Meter, headers: _Headers) -> None:
    if size < 0:
        raise BadArchive(f"The archive says that {name!a} is smaller than nothing.")
    left = size
    with create_file(folder, name) as file:
        while left:
            headers.renew()
            piece = content.read(min(left, _CHUNK))
            if not piece:
                raise BadArchive(f"The archive ends in the middle of {name!a}.")
            meter.piece(len(piece))
            file.write(piece)
            left -= len(piece)
        headers.renew()
        if content.read(1):  # for zip this also compares the checksum, which comes with the end
            raise BadArchive(f"The archive's {name!a} is longer than it says.")
        file.flush()
        os.fsync(file.fileno())


def _name_in_archive(name: str) -> str:
    try:
        return checked_name(name.rstrip("/"))
    except Failed as error:
        raise BadArchive(f"In the archive: {error}") from error


@contextmanager
def _as_bad_archive() -> Iterator[None]:
    broken = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)
    try:
        yield
    except broken as error:
        raise BadArchive(f"The archive is broken or not what its name says ({type(error).__name__}).") from error
    except (ValueError, LookupError, RecursionError, OverflowError, RuntimeError) as error:
        raise BadArchive(f"The archive has a header that makes no sense ({type(error).__name__}).") from error
    except FileExistsError as error:
        raise BadArchive(f"The archive holds {error.filename!a} twice, or as a file and a folder.") from error
    except NotADirectoryError as error:
        raise BadArchive(f"The archive holds {error.filename!a} as a file and as a folder.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the archive's begin; all others are the disk's
            raise
        raise BadArchive("The archive has a header that makes no sense (a negative place).") from error
