"""How the demo ends when it is told to: by Ctrl-C, by SIGTERM, or because its terminal is closed."""

import asyncio
import os
import signal
from collections.abc import Callable

# What shells call the end of a program by a signal: 130 for Ctrl-C.
_BY_SIGNAL = 128
_OUTPUTS = (1, 2)


class Ending:
    """Cancels the task that asked it to listen, at the first signal; what is open is closed on the way out.

    ``code`` is the exit code then, and None before. A second Ctrl-C or SIGTERM ends the process at once: what the demo
    started ends with it, however that ends.
    """

    def __init__(self, *, force: Callable[[int], object] = os._exit) -> None:
        self.code: int | None = None
        # What Ctrl-C means; it changes once the story is told.
        self.code_of_ctrl_c = _BY_SIGNAL + signal.SIGINT
        self._force = force
        self._terminals: list[int] = []

    def listen(self) -> None:
        """From now on; a hang-up that is ignored, as `nohup` has it, stays so."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101 - there is one wherever a loop runs
        self._terminals = [each for each in _OUTPUTS if os.isatty(each)]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._received, number, task)

    def _received(self, number: signal.Signals, task: "asyncio.Task[object]") -> None:
        if number is signal.SIGHUP:
            self._leave_terminals()
        if self.code is None:
            self.code = self.code_of_ctrl_c if number is signal.SIGINT else _BY_SIGNAL + number
            task.cancel()
        elif number is not signal.SIGHUP:
            self._force(_BY_SIGNAL + number)

    def _leave_terminals(self) -> None:
        """Nobody reads there any more, and each word would be an error."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for each in self._terminals:
            os.dup2(nowhere, each)
        os.close(nowhere)
