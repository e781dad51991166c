"""What a container that has ended leaves as its termination message."""

import os
import stat
from pathlib import Path

from aiop.sim.cluster.api import Object
from aiop.sim.processes.logrecord import record_of

# As kubelets do: of the file, of the log, and in lines of the log.
_MOST_BYTES = 4096
_MOST_LOG_BYTES = 2048
_MOST_LOG_LINES = 80
# More than the lines above can take with their stamps; the rest of a long log is not read.
_TAIL_BYTES = 64 * 1024


def last_words(container: Object, code: int, message_file: Path, log: Path) -> str:
    """The file's text; of one that failed and wrote none, the log's last lines if its policy says so. It blocks."""
    said = _head(message_file)
    if not said and code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        return _tail(log)
    return said


def _head(path: Path) -> str:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        pass
    return ""


def _open_at_once(path: str, flags: int) -> int:
    """The container may have put a pipe there, whose other end nobody opens, or a link to what is none of its own."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return ""
    records = [record for line in lines if (record := record_of(line)) is not None][-_MOST_LOG_LINES:]
    return b"".join(record.piece for record in records)[-_MOST_LOG_BYTES:].decode(errors="replace")
