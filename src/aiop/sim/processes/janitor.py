"""A program of its own that removes a folder once its asker is gone, whether that ended in good order or was killed.

Run by path with a bare interpreter (``python -I -S janitor.py FOLDER``). Standard input says nothing and ends when the
asker does.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

# What removing a folder's files takes: to read, write and enter it.
_OWNERS = 0o700
# Processes of the dead caller may still write for the moment that their supervisors take to end them.
_TRIES, _PAUSE_SECONDS = 50, 0.1


def remove(folder: str) -> None:
    """Remove it with all that is in it, folders too that are closed to their owner; what resists stays."""
    _open(folder)
    for place, folders, _ in os.walk(folder):
        for each in folders:  # before the walk goes into them
            _open(os.path.join(place, each))  # noqa: PTH118 - pathlib takes too long to import
    shutil.rmtree(folder, ignore_errors=True)


def _open(folder: str) -> None:
    if not os.path.islink(folder):  # noqa: PTH114 - as above
        with contextlib.suppress(OSError):
            os.chmod(folder, _OWNERS)  # noqa: PTH101 - as above


def main() -> None:
    """Wait, then remove."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    for _ in range(_TRIES):
        remove(sys.argv[1])
        if not os.path.exists(sys.argv[1]):  # noqa: PTH110 - pathlib takes too long to import
            return
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
