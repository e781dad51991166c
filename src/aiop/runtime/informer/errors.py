"""What can be wrong with a cache."""


class CachedObjectMutated(Exception):
    """Raised when somebody changed an object that the cache shares with all readers."""
