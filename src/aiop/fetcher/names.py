"""File names that come from a listing or an archive are hostile until they have passed here."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from aiop.fetcher.errors import Failed

# The fetcher's own folder while it works; it is gone when a fetch has ended well.
WORK_FOLDER = ".aiop-fetch"
# Linux's limit for one part of a path, in bytes (limits.h: NAME_MAX), less room for the suffixes of unfinished files.
_LONGEST_PART = 240
# Half of Linux's PATH_MAX, so that the folder's own path fits before it.
_LONGEST_PATH = 2048
# No model needs more, and whatever walks the folder later may recurse.
_DEEPEST = 64


def checked_name(name: str) -> str:
    """``name`` as a relative path with plain parts; raises Failed for any other.

    A leading ``./`` is dropped, as archives often have it. Refused are absolute names, ``.`` and ``..`` as parts, empty
    parts, backslashes, control characters, what is not UTF-8, what is too long, and the fetcher's own folder.
    """
    plain = name
    while plain.startswith("./"):
        plain = plain[2:]
    fault = _fault(plain)
    if fault:
        raise Failed(f"The model holds a file whose name {fault}: {_shown(name)}; rename it at the source.")
    return plain


def check_together(names: Iterable[str]) -> None:
    """Raise Failed if two files have one name, or a file's name is also a folder's."""
    files: set[str] = set()
    for name in names:
        if name in files:
            raise Failed(f"The model holds two files named {_shown(name)}; rename one at the source.")
        files.add(name)
    for name in files:
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise Failed(
                    f"{_shown(str(parent))} is both a file and a folder of the model; rename one at the source."
                )


def _fault(name: str) -> str:
    parts = name.split("/")
    faults = {
        "is empty": not name,
        "is absolute": name.startswith("/"),
        "leads out of its folder": ".." in parts,
        "has an empty part": "" in parts or "." in parts,
        "has a backslash or a control character": "\\" in name or not name.isprintable(),
        "is too long": _too_long(name, parts),
        "is nested too deeply": len(parts) > _DEEPEST,
        "is the fetcher's own": parts[0] == WORK_FOLDER,
    }
    return next((fault for fault, found in faults.items() if found), "")


def _too_long(name: str, parts: Iterable[str]) -> bool:
    longest = max(len(part.encode(errors="replace")) for part in parts)
    return longest > _LONGEST_PART or len(name.encode(errors="replace")) > _LONGEST_PATH


def _shown(name: str) -> str:
    """A name made harmless for a message: short, quoted, and without control characters."""
    return ascii(name if len(name) <= 80 else name[:80] + "…")  # noqa: PLR2004 - what reads well in one line
