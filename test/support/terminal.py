"""A terminal with a program in it: what it prints is kept, keys can be pressed, and it can be closed."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence

from support.foreground import in_foreground
from support.kubectl import eventually

_BOUND_SECONDS = 300
_PIECE = 65536
# No line of the demo is folded in it.
_SIZE = (50, 200)
# Where tcgetattr's list has them.
_LOCAL_MODES = 3
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Makes its standard input the terminal that a Ctrl-C and a hang-up come from, and becomes the program.
_IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """``command``, whose first word is a path, runs in it from the start."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._controller, self._inside = pty.openpty()
        termios.tcsetwinsize(self._inside, _SIZE)
        self._seen = bytearray()
        self._process = subprocess.Popen(
            in_foreground(sys.executable, "-I", "-S", "-c", _IN_TERMINAL, *command),
            stdin=self._inside, stdout=self._inside, stderr=self._inside, start_new_session=True, env=environment,
        )  # fmt: skip
        self._closing, self._close = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    @property
    def printed(self) -> str:
        """All that came, without colours and movements of the cursor."""
        return _CODES.sub("", self._seen.decode(errors="replace"))

    @property
    def shows_what_is_typed(self) -> bool:
        """As a shell wants it."""
        return bool(termios.tcgetattr(self._inside)[_LOCAL_MODES] & termios.ECHO)

    def until(self, words: str) -> None:
        """Wait until it printed them."""
        eventually(lambda: words in self.printed, seconds=_BOUND_SECONDS, told=lambda: self.printed)

    def type(self, keys: str) -> None:
        """Press them; \\x03 is Ctrl-C."""
        os.write(self._controller, keys.encode())

    def ended(self) -> int:
        """Wait for the program's end; its exit code."""
        return self._process.wait(_BOUND_SECONDS)

    def close(self) -> None:
        """As when a window is closed: the program hears SIGHUP, and each word of it is an error from now on."""
        os.write(self._close, b"x")
        self._reader.join()
        for each in (self._controller, self._inside, self._close, self._closing):
            os.close(each)

    def kill(self) -> None:
        """Whatever went wrong, the program does not outlive the test."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._controller, self._closing], [], [])
            if self._closing in ready:
                return
            self._seen += os.read(self._controller, _PIECE)
