"""How a manager can fail."""


class WorkerDidNotStop(RuntimeError):
    """Raised when a worker does not end though it was cancelled; the process must end, for it may write."""
