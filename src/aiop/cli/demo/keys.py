"""Waits for Enter without holding up anything else, not even the end of the process."""

import asyncio
import os
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 1024
# Where tcgetattr's list has them.
_LOCAL_MODES = 3


class EnterKey:
    """Each line that is typed lets one ``pressed`` return, typed before or after; after the end of input all return."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines = asyncio.Semaphore(0)
        self._ended = asyncio.Event()
        # A thread of its own, for files and terminals cannot all be watched; as a daemon it keeps nobody waiting.
        threading.Thread(target=self._read, name="enter", daemon=True).start()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep a terminal from showing what is typed, for that would push the live view off its place."""
        try:
            shown = termios.tcgetattr(self._descriptor)
        except (termios.error, OSError):
            yield  # no terminal
            return
        hidden = [*shown]
        hidden[_LOCAL_MODES] = int(shown[_LOCAL_MODES]) & ~termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, hidden)
        try:
            yield
        finally:
            with suppress(termios.error, OSError):  # closed meanwhile
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, shown)

    async def pressed(self) -> None:
        """Wait for one line."""
        waits = [asyncio.ensure_future(each) for each in (self._lines.acquire(), self._ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _read(self) -> None:
        try:
            while data := os.read(self._descriptor, _PIECE):
                for _ in range(data.count(b"\n")):
                    self._tell(self._lines.release)
        except OSError:
            pass  # a closed standard input
        self._tell(self._ended.set)

    def _tell(self, what: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what)  # type: ignore[arg-type]  # a method without arguments
        except RuntimeError:
            return  # the loop is closed, nobody waits any more
