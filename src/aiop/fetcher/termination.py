"""The last word of a run: one line of JSON where the kubelet looks for it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

# The contract with the operator. The kubelet itself cuts at 4096 bytes.
LONGEST = 2048
# Room for the other keys of the line, whatever their numbers.
_MESSAGE_ROOM = 1600
_PLAIN = str.maketrans(dict.fromkeys("\r\n\t", " "))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: ``reason`` in CamelCase, ``message`` in a sentence, what was counted, and how long it took."""

    reason: str
    message: str
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """The JSON line, at most LONGEST bytes; a message that is too long is cut."""
        cut = "".join(character for character in self.message.translate(_PLAIN) if character.isprintable())
        message = cut.encode()[:_MESSAGE_ROOM].decode(errors="ignore")
        while True:
            text = json.dumps({**asdict(self), "message": message, "seconds": round(self.seconds, 1)})
            if len(text) < LONGEST:
                return text
            message = message[: len(message) // 2]


def write_outcome(outcome: Outcome, path: Path, say: Callable[[str], None]) -> None:
    """Write the line to ``path`` and say it in words; a path that cannot be written is no failure of the run."""
    say(f"{outcome.reason}: {outcome.message}")
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write(outcome.line() + "\n")
    except OSError as error:
        say(f"The termination log cannot be written: {error.strerror}.")
