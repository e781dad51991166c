"""The process: arguments, signals, and what is said to whom."""

import io
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from aiop.fetcher.command import Run, fetch, measure
from aiop.fetcher.disk import disk_failure
from aiop.fetcher.environment import prepare
from aiop.fetcher.errors import Failed, FetchError
from aiop.fetcher.redaction import redacting_writer, redactor_of
from aiop.fetcher.settings import settings_from, termination_log_of
from aiop.fetcher.termination import Outcome, write_outcome

_COMMANDS = {"measure": measure, "fetch": fetch}
_USAGE = "Use: python -m aiop.fetcher measure|fetch URI FOLDER."
# What a shell says of a process that SIGTERM ended.
_TERMINATED = 128 + signal.SIGTERM


class _Lines(io.TextIOBase):
    """Stands for stdout and stderr: whatever a library prints passes the redaction, line by line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._rest = say, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line)
        return len(text)


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the command in ``arguments``, write the termination line, and end the process."""
    started = time.monotonic()
    os.umask(0o022)
    prepare(os.environ)
    redactor = redactor_of(os.environ)
    terminal = sys.stdout

    def write(text: str) -> None:
        terminal.write(text)
        terminal.flush()

    say = redacting_writer(write, redactor)

    def end(outcome: Outcome, code: int) -> NoReturn:
        told = Outcome(outcome.reason, redactor.redact(outcome.message), outcome.files, outcome.bytes, outcome.seconds)
        write_outcome(told, termination_log_of(os.environ), say)
        # Not sys.exit: a library's threads must not hold up the end.
        os._exit(code)

    def terminated(_number: int, _frame: FrameType | None) -> None:
        seconds = time.monotonic() - started
        end(Outcome("Failed", "The fetch was stopped before it was done.", seconds=seconds), _TERMINATED)

    # The first process of a container ignores signals that it has no handler for.
    signal.signal(signal.SIGTERM, terminated)
    signal.signal(signal.SIGINT, terminated)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr = _Lines(say)
    outcome, code = _run(arguments, say, started)
    end(outcome, code)


def _run(arguments: Sequence[str], say: Callable[[str], None], started: float) -> tuple[Outcome, int]:
    try:
        return _chosen(arguments, say), 0
    except FetchError as error:
        failure = error
    except OSError as error:
        failure = disk_failure(error)
    except MemoryError:
        failure = Failed("The container has too little memory; raise its limit.")
    except Exception as error:  # noqa: BLE001 - the last word must be said whatever happened
        failure = Failed(f"An unexpected error: {type(error).__name__}: {error}.")
    return Outcome(failure.reason, str(failure), seconds=time.monotonic() - started), failure.exit_code


def _chosen(arguments: Sequence[str], say: Callable[[str], None]) -> Outcome:
    if len(arguments) != 3 or arguments[0] not in _COMMANDS:  # noqa: PLR2004 - command, URI, folder
        raise Failed(_USAGE)
    command, uri, folder = arguments
    return _COMMANDS[command](Run(uri, Path(folder), os.environ, settings_from(os.environ), say))


if __name__ == "__main__":
    main(sys.argv[1:])
