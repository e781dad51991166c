"""Everything that can go wrong between us and the API server, mapped once at this border."""

from dataclasses import dataclass


class ClientError(Exception):
    """Raised when a request to the API server had no successful answer; the base of all others here."""


class ConfigurationFailed(ClientError):
    """Raised when neither a kubeconfig nor an in-cluster ServiceAccount says where the API server is or who we are."""


class ConnectionFailed(ClientError):
    """Raised when no answer came: refused, reset, cut off, or TLS did not agree."""


class ConnectionRefused(ConnectionFailed):
    """Raised when nothing listens at the API server's address."""


class HostUnknown(ConnectionFailed):
    """Raised when the API server's name leads to no address."""


class NotTrusted(ConnectionFailed):
    """Raised when the API server's certificate is not of an authority that we trust; ``fault`` says what of it."""

    def __init__(self, message: str, fault: str) -> None:
        super().__init__(message)
        self.fault = fault


class RequestTimedOut(ClientError):
    """Raised when no answer came within the deadline; the server may still have done the work."""


class StreamStalled(RequestTimedOut):
    """Raised when a watch that had begun said nothing for its idle time-out: its connection is taken for dead."""


class WriteNotPermitted(ClientError):
    """Raised when the write gate is closed, before a byte is sent: this process does not hold the lease."""


class InvalidName(ClientError):
    """Raised when a name cannot be asked for, before a byte is sent: empty, or one that leads a URL elsewhere."""

    def __init__(self, field: str, value: str, fix: str) -> None:
        super().__init__(f"{field} {value!r} names nothing in the API: {fix}")


class ProtocolError(ClientError):
    """Raised when the answer is not what the Kubernetes API promises: not JSON, another kind, or a redirect."""


class AnswerTooLong(ClientError):
    """Raised when an answer is longer than its reader takes; what had come of it is thrown away."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One field's fault, as the server names it."""

    field: str
    reason: str
    message: str


class ApiError(ClientError):
    """Raised when the server answered with a failure; the base of the classes below.

    ``status`` is the HTTP code, ``reason`` the Status object's reason (may be empty), ``retry_after``
    the server's wish in seconds or None, ``causes`` the faults by field.
    """

    def __init__(
        self,
        status: int,
        reason: str = "",
        message: str = "",
        *,
        causes: tuple[Cause, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {message}" if reason else f"{status}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after = retry_after


class BadRequest(ApiError):
    """Raised when the server could not make sense of the request (400, 413, 415)."""


class Unauthorized(ApiError):
    """Raised when the server does not know who we are (401), even after the credentials were renewed."""


class Forbidden(ApiError):
    """Raised when we may not do this (403)."""


class NotFound(ApiError):
    """Raised when there is no such object or no such kind (404)."""


class AlreadyExists(ApiError):
    """Raised when an object of that name is there already (409, reason AlreadyExists)."""


class Conflict(ApiError):
    """Raised when a precondition (resourceVersion, UID, field ownership) does not hold (409; 422 for a patch's UID)."""


class Expired(ApiError):
    """Raised when the resourceVersion or continue token is too old (410)."""


class Invalid(ApiError):
    """Raised when the object breaks its schema or rules (422); ``causes`` names the fields."""


class TooManyRequests(ApiError):
    """Raised when the server wants us to slow down (429); ``retry_after`` says by how much."""


class ServerError(ApiError):
    """Raised when the server failed (5xx)."""
