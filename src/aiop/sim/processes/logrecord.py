"""One line of a log file as the supervisor writes it: time, stream, F or P, text."""

from dataclasses import dataclass

_WORDS = 4


@dataclass(frozen=True, slots=True)
class Record:
    """``stamp`` is RFC 3339 in nanoseconds, UTC; ``whole`` False: the line goes on in the next record."""

    stamp: bytes
    whole: bool
    text: bytes

    @property
    def piece(self) -> bytes:
        """What the container wrote."""
        return self.text + b"\n" if self.whole else self.text


def record_of(line: bytes) -> Record | None:
    """The record on a line without its newline; None for what is none, as a line cut in its middle."""
    words = line.split(b" ", _WORDS - 1)
    if len(words) < _WORDS or words[2] not in {b"F", b"P"}:
        return None
    return Record(words[0], words[2] == b"F", words[3])
