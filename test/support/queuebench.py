"""What tests of the queue share."""

from aiop.runtime.workqueue.queue import WorkQueue


async def take_all(queue: WorkQueue[str]) -> list[str]:
    """Every ready key in the queue's order, each worked on and done."""
    taken = []
    while len(queue):
        key = await queue.get()
        taken.append(key)
        queue.done(key)
    return taken
