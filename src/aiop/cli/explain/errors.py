"""Why there is nothing to explain; each ends the command with exit code 1 and one line that says the fix."""


class ExplainError(Exception):
    """Raised when an object cannot be explained; the text names field, value and fix."""


class NoSuchObject(ExplainError):
    """Raised when there is no object of that name, or the cluster does not serve its kind."""


class NoAccess(ExplainError):
    """Raised when the caller may not read the object itself, or the API server does not know the caller."""


class Unreachable(ExplainError):
    """Raised when the API server does not answer, or nothing says where it is."""
