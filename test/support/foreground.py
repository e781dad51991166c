"""Signals as a command finds them that a person starts in a terminal, whatever the tests were started by.

`nohup` has hang-ups ignored, a script has Ctrl-C ignored by what it starts in the background, and whoever is started
inherits that.
"""

import signal
import sys
from collections.abc import Sequence

_IGNORED_BY_SOME = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_BECOME = (
    "import os, signal, sys\n"
    f"for number in {tuple(map(int, _IGNORED_BY_SOME))}: signal.signal(number, signal.SIG_DFL)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def in_foreground(*command: str) -> list[str]:
    """A command line that becomes ``command`` with nothing ignored."""
    return [sys.executable, "-I", "-S", "-c", _BECOME, *command]


def ignore_nothing(numbers: Sequence[signal.Signals] = _IGNORED_BY_SOME) -> None:
    """The same for this process, as Python has it at its start. Only in the main thread."""
    for number in numbers:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
