"""What can go wrong with SPDY."""


class BadFrame(Exception):
    """Raised when what comes is no frame of SPDY/3.1, or one that is too large."""
