"""A program of its own that removes a folder once its asker is gone, whether that ended in good order or was killed.

Run by path with a bare interpreter (``python -I -S janitor.py FOLDER``). Standard input says nothing and ends when the
asker does.
"""

import os
import shutil
import signal
import sys
import time

# Processes of the dead caller may still write for the moment that their supervisors take to end them.
_TRIES, _PAUSE_SECONDS = 50, 0.1


def main() -> None:
    """Wait, then remove."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    for _ in range(_TRIES):
        shutil.rmtree(sys.argv[1], ignore_errors=True)
        if not os.path.exists(sys.argv[1]):  # noqa: PTH110 - pathlib takes too long to import
            return
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
