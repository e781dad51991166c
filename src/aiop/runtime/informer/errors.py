"""What can be wrong with a cache, and with what a server says to fill it."""

from aiop.runtime.client.errors import ProtocolError


class CachedObjectMutated(Exception):
    """Raised when somebody changed an object that the cache shares with all readers."""


class WatchListUnsupported(ProtocolError):
    """Raised when a server shows by what it says that it does not know of lists by watch."""


class ObjectSkipped(Exception):
    """Raised when an object cannot be taken in; the base of the two below. It is counted and logged by then."""


class ForeignObject(ObjectSkipped):
    """Raised when an object is not of the informer's kind: nothing that it says of itself counts here."""


class UndecodableObject(ObjectSkipped):
    """Raised when an object of the informer's kind makes no sense; the rest says whose state it would have been."""

    def __init__(self, reason: str, *, namespace: str, name: str, uid: str, resource_version: str) -> None:
        super().__init__(reason)
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resource_version = resource_version
