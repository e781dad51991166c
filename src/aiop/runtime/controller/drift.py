"""Does a live object say what we want it to say? Answered in process, so that a quiet cluster costs no call."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_QUANTITY = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: Decimal(1000) ** -power for power, letter in enumerate("mun", start=1)},
}
# The only places where the server rewrites a text that we wrote: amounts of resources become canonical.
_AMOUNTS = frozenset({"limits", "requests", "sizeLimit", "storage"})
# Maps that count as a whole (x-kubernetes-map-type: atomic): one more key means something else.
_WHOLE = frozenset({"selector", "matchLabels", "nodeSelector"})


def intent_hash(body: object) -> str:
    """A short hash of what we want; equal for equal content, whatever the order of keys."""
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()[:16]


def says(live: object, wanted: object, *, amounts: bool = False) -> bool:
    """True if ``live`` holds everything that ``wanted`` does; what the server or others added does not matter.

    Maps are compared by our keys, selectors whole; lists must have our length and order, item by item; an empty map
    or list that we want is satisfied by an absent one, as the server drops it.
    """
    if isinstance(wanted, Mapping):
        return _map_says(live, wanted, amounts=amounts)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        found = live or []
        if not isinstance(found, Sequence) or len(found) != len(wanted):
            return False
        return all(says(one, other, amounts=amounts) for one, other in zip(found, wanted, strict=True))
    if amounts and live != wanted:
        return live is not None and quantity(str(live)) == quantity(str(wanted))
    # The server writes a whole 1.0 as 1; but True is no 1, though Python says so.
    return live == wanted and isinstance(live, bool) is isinstance(wanted, bool)


def quantity(text: str) -> Decimal | str:
    """A Kubernetes quantity as a number, or the text itself if it is none, or beyond all bounds."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return text
    number, suffix = match.groups(default="")
    try:
        unit = _SUFFIXES.get(suffix)
        return Decimal(number + suffix) if unit is None else Decimal(number) * unit
    except InvalidOperation:
        return text


def _map_says(live: object, wanted: Mapping[str, Any], *, amounts: bool) -> bool:
    found = live if isinstance(live, Mapping) else {}
    if live is not None and not isinstance(live, Mapping):
        return False
    return all(
        (value is None and name not in found)
        or (says(found.get(name), value, amounts=amounts or name in _AMOUNTS) and _no_more(name, found, value))
        for name, value in wanted.items()
    )


def _no_more(name: str, found: Mapping[str, Any], value: object) -> bool:
    """True unless ``name`` is a map that counts as a whole and has keys that we do not want."""
    live = found.get(name)
    if name not in _WHOLE or not isinstance(live, Mapping) or not isinstance(value, Mapping):
        return True
    return set(live) <= set(value)
