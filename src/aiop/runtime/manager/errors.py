"""How a manager can fail."""


class WorkerDidNotStop(RuntimeError):
    """Raised when a worker does not let go after the lease is lost; the process must end."""
