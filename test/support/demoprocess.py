"""`aiop demo` as a person starts it, with all that it writes under a folder of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.foreground import in_foreground
from support.kubectl import eventually

# A story takes half a minute; beside other tests on two cores a multiple of that.
_BOUND_SECONDS = 300


class Demo:
    """A demo in progress; what it prints is in a file, its temporary files are under ``temporary``.

    ``before`` is what stands before its command, such as `nohup`. With a ``reader`` its output goes to a pipe, which
    ``leave_it_unread`` closes after the first line.
    """

    def __init__(self, folder: Path, *arguments: str, before: Sequence[str] = (), reader: bool = False) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._printed = folder / "printed"
        # A terminal of this width folds no name; the variables are the ones that Python and rich go by.
        told = {"TMPDIR": str(self.temporary), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                in_foreground(*before, sys.executable, "-m", "aiop", "demo", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if reader else printed,
                stderr=printed if reader else subprocess.STDOUT,
                env={**os.environ, **told},
            )

    @property
    def printed(self) -> str:
        return self._printed.read_text()

    def leave_it_unread(self) -> None:
        """Read its first line, and go."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            assert output.readline()

    def until(self, words: str) -> None:
        """Wait until it printed them."""
        eventually(lambda: words in self.printed, seconds=_BOUND_SECONDS, told=lambda: self.printed)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.send(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(_BOUND_SECONDS)

    def kill(self) -> None:
        """Whatever went wrong, it does not outlive the test."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def helper(self, word: str) -> int:
        """The number of the one process that it started whose command line has that word, and is no supervisor's."""
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
        found = [line for line in listed.stdout.splitlines() if str(self.temporary) in line and word in line]
        assert len(found) == 1, found
        return int(found[0].split()[0])

    def helpers(self) -> list[str]:
        """The command lines of the processes that it started: each names a file of its folder."""
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
        return [line for line in listed.stdout.splitlines() if str(self.temporary) in line]
