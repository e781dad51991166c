"""What an informer waits for, in words for who asks why the process is not ready."""

from aiop.runtime.client.errors import (
    ApiError,
    ClientError,
    ConnectionFailed,
    Forbidden,
    NotFound,
    RequestTimedOut,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from aiop.runtime.client.resource import Resource

FIRST_LIST = "waiting for the first list"

_WORDS: tuple[tuple[tuple[type[ClientError], ...], str], ...] = (
    ((ConnectionFailed, RequestTimedOut), "no connection"),
    ((Forbidden,), "forbidden"),
    ((Unauthorized,), "unauthorized"),
    ((TooManyRequests,), "too many requests"),
    ((ServerError,), "the API server failed"),
)


def in_words(error: ClientError, resource: Resource) -> str:
    """What stands between the informer and its server."""
    if isinstance(error, NotFound):
        return not_served(resource)
    words = next((words for kinds, words in _WORDS if isinstance(error, kinds)), "the list or watch failed")
    return f"{words}: {(isinstance(error, ApiError) and error.message) or error}"


def not_served(resource: Resource) -> str:
    """The kind does not exist, or not yet."""
    return f"the API {resource.api_version} {resource.plural} is not served"
