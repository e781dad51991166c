"""Comparing a file on disk with the digest that its source gives."""

import hashlib
from collections.abc import Callable
from pathlib import Path

_CHUNK = 1024 * 1024


def matches(path: Path, digest: str, wanted: Callable[[], None]) -> bool:
    """Whether ``path`` has the content of ``digest`` (``sha256:…``, ``md5:…`` or ``git:…`` in hexadecimal).

    An empty digest or one of another algorithm matches everything. ``wanted`` is called for each piece and may raise.
    """
    algorithm, _, expected = digest.partition(":")
    # MD5 and SHA-1 are what the sources have; they tell a damaged file, not a forged one.
    if algorithm == "git":
        hasher = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    elif algorithm in {"sha256", "md5"}:
        hasher = hashlib.new(algorithm, usedforsecurity=False)
    else:
        return True
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            wanted()
            hasher.update(piece)
    return hasher.hexdigest() == expected.lower()
