"""A dict that refuses to change, for views that all readers share."""

from collections.abc import Mapping
from typing import Any, NoReturn


def _refuse(*_arguments: object, **_changes: object) -> NoReturn:
    message = "a cached object is shared by all readers and cannot be changed; copy it with dict()"
    raise TypeError(message)


class FrozenDict(dict[str, str]):
    """Read it, compare it and encode it like a dict; every change raises TypeError.

    ``copy``, ``dict()`` and ``|`` give plain dicts. Not promised: that it withstands ``dict.__setitem__(frozen, …)``.
    """

    __slots__ = ()

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse
    update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


# What most objects have for annotations: one for all of them.
_EMPTY = FrozenDict()


def frozen(mapping: Mapping[str, str]) -> FrozenDict:
    """The same content, frozen; ``mapping`` itself if it is that already."""
    if type(mapping) is FrozenDict:
        return mapping
    return FrozenDict(mapping) if mapping else _EMPTY
