"""The functions that Kubernetes adds to CEL, as far as schemas of ours and of common operators use them.

Text, regular expressions, lists, quantities and URLs. Rules that use others (ip, cidr, format, semver) cannot be
evaluated and say so; nor can those that ask whether a quantity is an integer, since the real answer depends on how it
was written (2 is one, 2000m is none).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiop.sim.semantics import quantity

# Values of Kubernetes' own types travel through the library as maps with one of these keys.
_QUANTITY = "\x00quantity"
_URL = "\x00url"


def _size(value: Any) -> int:
    # The library counts the bytes of a text; CEL counts its characters.
    return len(value)


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= last <= len(text):
        raise ValueError(f"substring: {start}, {last} is out of range of {text!r}")
    return text[start:last]


def _char_at(text: str, place: int) -> str:
    if not 0 <= place <= len(text):
        raise ValueError(f"charAt: {place} is out of range of {text!r}")
    return text[place : place + 1]


def _index_of(value: Any, wanted: Any) -> int:
    if isinstance(value, str):
        return value.find(wanted)
    return value.index(wanted) if wanted in value else -1


def _last_index_of(value: Any, wanted: Any) -> int:
    if isinstance(value, str):
        return value.rfind(wanted)
    return len(value) - 1 - value[::-1].index(wanted) if wanted in value else -1


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    parts = text.split(separator) if separator else list(text)
    return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], separator.join(parts[limit - 1 :])]


def _join(parts: list[str], separator: str = "") -> str:
    return separator.join(parts)


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group(0) if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match.group(0) for match in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


def _quantity(text: str) -> dict[str, str]:
    return {_QUANTITY: str(quantity.parse(text))}


def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except quantity.BadQuantity:
        return False
    return True


def _amount(value: Any) -> quantity.Amount:
    return quantity.Amount(value[_QUANTITY]) if isinstance(value, dict) else quantity.Amount(value)


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc) or text.startswith("/")


def _url(text: str) -> dict[str, str]:
    if not _is_url(text):
        raise ValueError(f"URL parse error: {text!r}")
    return {_URL: text}


def _host(value: dict[str, str]) -> str:
    return urlsplit(value[_URL]).netloc.rpartition("@")[2]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "codePoints": _size,
    "charAt": _char_at,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": lambda text: "".join(each.lower() if each.isascii() else each for each in text),
    "upperAscii": lambda text: "".join(each.upper() if each.isascii() else each for each in text),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "substring": _substring,
    "trim": lambda text: text.strip(),
    "reverse": lambda text: text[::-1],
    "find": _find,
    "findAll": _find_all,
    "isSorted": lambda values: values == sorted(values),
    "sum": sum,
    "isQuantity": _is_quantity,
    "quantity": _quantity,
    "isGreaterThan": lambda left, right: _amount(left) > _amount(right),
    "isLessThan": lambda left, right: _amount(left) < _amount(right),
    "compareTo": lambda left, right: (_amount(left) > _amount(right)) - (_amount(left) < _amount(right)),
    "sign": lambda value: (_amount(value) > 0) - (_amount(value) < 0),
    "asApproximateFloat": lambda value: float(_amount(value)),
    "add": lambda left, right: {_QUANTITY: str(_amount(left) + _amount(right))},
    "sub": lambda left, right: {_QUANTITY: str(_amount(left) - _amount(right))},
    "isURL": _is_url,
    "url": _url,
    "getScheme": lambda value: urlsplit(value[_URL]).scheme,
    "getHost": _host,
    "getHostname": lambda value: urlsplit(value[_URL]).hostname or "",
    "getPort": lambda value: str(urlsplit(value[_URL]).port or ""),
    "getEscapedPath": lambda value: urlsplit(value[_URL]).path,
}
