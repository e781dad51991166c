"""Why a spec cannot be served; each becomes the condition Accepted=False."""


class NotAccepted(Exception):
    """Raised when a spec cannot be served as it stands; ``reason`` is in the list of reasons, the text says the fix."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ChildRefused(Exception):
    """Raised when the API server forbids a child: quota, an admission policy, a right that the operator lacks."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
