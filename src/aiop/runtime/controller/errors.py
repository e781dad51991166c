"""What a reconciler may say went wrong."""


class TerminalError(Exception):
    """Raised by a reconciler when trying again cannot help; the key waits for the object's next change."""
