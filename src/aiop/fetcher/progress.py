"""How far a fetch is: counted by its streams, told in plain lines."""

import threading


class Progress:
    """Bytes and files so far, of ``total_bytes`` (0 if unknown) and ``total_files``; any thread counts here."""

    def __init__(self, total_files: int, total_bytes: int) -> None:
        self._total_files, self._total_bytes = total_files, total_bytes
        self._lock = threading.Lock()
        self._files = self._bytes = 0

    def __repr__(self) -> str:
        return f"Progress({self._files}/{self._total_files} files, {self._bytes}/{self._total_bytes} bytes)"

    def add(self, count: int) -> None:
        """Count bytes; a negative number takes back what has to come again."""
        with self._lock:
            self._bytes += count

    def file_done(self) -> None:
        """Count a file that is complete."""
        with self._lock:
            self._files += 1

    def line(self) -> str:
        """The state in words."""
        total = f" of {size_in_words(self._total_bytes)}" if self._total_bytes else ""
        share = f" ({self._bytes * 100 // self._total_bytes} %)" if self._total_bytes else ""
        return f"Fetched {size_in_words(self._bytes)}{total}{share}, {self._files} of {self._total_files} files."


def size_in_words(size: int) -> str:
    """``size`` bytes as people say it, in decimal units: 1.5 GB."""
    amount, units = float(size), iter(("bytes", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while amount >= 1000 and unit != "PB":  # noqa: PLR2004 - the step between decimal units
        amount, unit = amount / 1000, next(units)
    return f"{size} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"


def files_in_words(count: int) -> str:
    """``1 file``, ``2 files``."""
    return "1 file" if count == 1 else f"{count} files"
