"""What can go wrong in the model server, in words for whoever asked or reads its log."""


class ModelServerError(Exception):
    """Raised when the server cannot start; the text becomes the last line of its log."""


class BadRequest(Exception):
    """Raised when a request's body makes no sense; the text names the field and the fix."""
