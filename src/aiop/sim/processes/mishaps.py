"""What nobody foresaw in the work on a pod: it is told, and a fault of the program itself is not swallowed."""

import asyncio

from aiop.runtime.client.errors import ClientError

# The machine's doing or the API server's, and no fault of the program.
_NOT_OURS = (OSError, ClientError)


def words_of(error: BaseException) -> str:
    """The kind of the error and what it says; of a group of one, that one's."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def report(error: BaseException, what: str) -> None:
    """Give a fault of the program to the event loop's handler of exceptions, which prints it unless it is told else."""
    if not isinstance(error, _NOT_OURS):
        asyncio.get_running_loop().call_exception_handler({"message": f"{what} failed", "exception": error})


def watched(task: "asyncio.Task[None]") -> "asyncio.Task[None]":
    """The task, whose failure is reported."""

    def ended(done: "asyncio.Task[None]") -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            report(error, done.get_name())

    task.add_done_callback(ended)
    return task
