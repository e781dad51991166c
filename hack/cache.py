"""The user's cache folder: what is fetched or built once lies there, under a key of what pins it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """This project's, which may not be there yet."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "aiop"


@contextmanager
def alone(folder: Path, lock: str = "lock") -> Iterator[None]:
    """Of several processes on one machine that make something in ``folder``, one at a time; makes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / lock).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
