"""What can go wrong when an image is made."""


class UnknownImage(LookupError):
    """Raised when nothing says how to make an image of that name."""


class ImageNotMade(RuntimeError):
    """Raised when what an image needs cannot be had; the text says what is missing."""
