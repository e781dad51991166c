"""Why a fetch ends without a model: one class a reason that the termination line carries."""

from typing import ClassVar


class FetchError(Exception):
    """Raised when the model cannot be had; the base of all others. The text is a sentence that a person can act on.

    ``reason`` goes into the termination line; ``exit_code`` is the process's. ``transient`` says that the same request
    may work a moment later.
    """

    reason: ClassVar[str] = "Failed"
    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False


class Failed(FetchError):
    """Raised when nothing more special describes the failure."""


class BadUri(FetchError):
    """Raised when the URI is not one that can be fetched, before anything is asked for."""

    reason = "BadUri"
    exit_code = 2


class AccessDenied(FetchError):
    """Raised when the source knows the credentials and refuses them."""

    reason = "AccessDenied"


class MissingCredentials(FetchError):
    """Raised when the source wants credentials and the environment has none for it."""

    reason = "MissingCredentials"


class NotFound(FetchError):
    """Raised when the source has nothing under that name."""

    reason = "NotFound"


class NoSpace(FetchError):
    """Raised when the folder's file system has too little room."""

    reason = "NoSpace"


class TooLarge(FetchError):
    """Raised when there are more bytes or files than AIOP_MAX_BYTES or AIOP_MAX_FILES allow."""

    reason = "TooLarge"


class Unreachable(FetchError):
    """Raised when the source gave no usable answer, however often it was asked."""

    reason = "Unreachable"


class BadArchive(FetchError):
    """Raised when an archive is broken, or holds what is not unpacked: links, devices, names that lead elsewhere."""

    reason = "BadArchive"


class Interrupted(Unreachable):
    """Raised when a request failed in a way that may pass: no connection, a time-out, an overloaded server."""

    transient = True


class SourceChanged(FetchError):
    """Raised when a file is no longer the one that was measured; measuring again may help."""


class RangeRefused(FetchError):
    """Raised when a server sends a whole file though a part was asked for."""
