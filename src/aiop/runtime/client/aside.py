"""Work that may block or hang, away from the event loop and from the end of the process."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# A program that was killed ends within moments: it is looked for this often, and at most for a second.
_LOOK_SECONDS = 0.01
_LOOKS = 100


async def aside(work: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What ``work`` returns or raises, awaited in a daemon thread with an event loop of its own.

    Raises TimeoutError after ``seconds``, naming the programs that it had started. Work that is given up, or whose
    caller is, is cancelled and its programs are killed; where it blocks it is left behind, and holds up neither this
    loop nor the end of the process, as a worker of `asyncio.to_thread` would.
    """
    thread = _Aside(work)
    thread.start()
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await asyncio.wrap_future(thread.outcome)
    except TimeoutError as error:
        if not limit.expired():
            raise
        of = f" of {', '.join(thread.programs)}" if thread.programs else ""
        message = f"no answer{of} within {seconds:g} s"
        raise TimeoutError(message) from error
    finally:
        thread.give_up()


class _Loop(asyncio.SelectorEventLoop):
    """Knows the programs that it started; their arguments may be secrets."""

    def __init__(self, programs: list[str]) -> None:
        super().__init__()
        self._programs = programs
        self._started: list[asyncio.SubprocessTransport] = []

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        """The protocol's factory, the program, its arguments."""
        self._programs.append(str(args[1]))
        transport, protocol = await super().subprocess_exec(*args, **options)
        self._started.append(transport)
        return transport, protocol

    async def kill_programs(self) -> None:
        """Return once none runs any more, so that nobody is told of its end after the loop's."""
        for transport in self._started:
            transport.close()
            for _ in range(_LOOKS):
                if transport.get_returncode() is not None:
                    break
                await asyncio.sleep(_LOOK_SECONDS)


class _Aside(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        super().__init__(name="aside", daemon=True)
        self.outcome: Future[T] = Future()
        self.programs: list[str] = []
        self._work = work
        self._lock = threading.Lock()  # guards the next two
        self._given_up = False
        self._cancel: Callable[[], object] | None = None

    def run(self) -> None:
        with suppress(InvalidStateError):  # nobody waits for it any more
            try:
                result = self._result()
            except BaseException as error:  # noqa: BLE001 - raised in the caller's loop, whatever it is
                self.outcome.set_exception(error)
            else:
                self.outcome.set_result(result)

    def _result(self) -> T:
        loop = _Loop(self.programs)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                return runner.run(self._cancellable())
            finally:
                runner.run(loop.kill_programs())

    def give_up(self) -> None:
        """Cancel it; does nothing if it is done."""
        with self._lock:
            self._given_up = True
            if self._cancel is not None:
                self._cancel()

    async def _cancellable(self) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(self._work())
        with self._lock:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._given_up:
                task.cancel()
        try:
            return await task
        finally:
            with self._lock:
                self._cancel = None
