"""What a model is made of: its files, pinned to the version that was measured, and their JSON.

`measure` writes the pinned list and `fetch` reads it, so that both speak of the same bytes. It holds no credential.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aiop.fetcher.archives import is_archive
from aiop.fetcher.errors import NotFound, TooLarge
from aiop.fetcher.names import check_together, checked_name

# Raised with every change of the shape below; a list of another format is measured anew.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file at the source.

    ``name`` is where it goes below the folder. ``key`` is how the source calls it. ``size`` is in bytes, None if the
    source does not say. ``version`` changes when the content does (an ETag, a generation, a commit); empty if the
    source has none. ``digest`` is ``algorithm:hexadecimal`` of the content, empty if unknown; algorithms are sha256,
    md5, and git (the hash of a git blob). ``ranged`` says that parts of it can be asked for. ``unpack`` says that it
    is an archive whose content is wanted.
    """

    name: str
    key: str
    size: int | None
    version: str = ""
    digest: str = ""
    ranged: bool = True
    unpack: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of a model, as one moment showed them; ``uri`` is what was asked for."""

    uri: str
    files: tuple[RemoteFile, ...]

    @property
    def bytes(self) -> int:
        """The sum of the known sizes; archives count as they are packed."""
        return sum(file.size or 0 for file in self.files)

    def to_json(self) -> str:
        """The pinned list as text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":"))


def listing_of(uri: str, files: Iterable[RemoteFile], max_files: int) -> Listing:
    """The listing of ``files``, checked; they are counted as they come, so an endless source ends here.

    Raises TooLarge, NotFound if there are none, and Failed for names that are not safe. A single file whose name is an
    archive's is marked to be unpacked.
    """
    found: list[RemoteFile] = []
    for file in files:
        if len(found) == max_files:
            raise TooLarge(f"The model has more than {max_files} files; raise AIOP_MAX_FILES or name a smaller folder.")
        found.append(replace(file, name=checked_name(file.name)))
    if not found:
        raise NotFound("There are no files under that name; check the model URI.")
    check_together(file.name for file in found)
    return Listing(uri, tuple(sorted(found, key=lambda file: file.name)))


def single(file: RemoteFile) -> RemoteFile:
    """``file`` as the only one that a URI names: an archive is there to be unpacked."""
    return replace(file, unpack=is_archive(file.name))


def read_listing(path: Path, uri: str) -> Listing | None:
    """The pinned list of ``uri`` at ``path``; None if there is none that can be used."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, Mapping) or (data.get("format"), data.get("uri")) != (FORMAT, uri):
            return None
        files = [_file(each) for each in data["files"]]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return listing_of(uri, files, len(files)) if files else None


def _file(data: Mapping[str, Any]) -> RemoteFile:
    return RemoteFile(**data)
