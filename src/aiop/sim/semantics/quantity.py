"""Resource quantities: 500m, 1.5Gi, 2e3."""

import re
from collections.abc import Mapping
from fractions import Fraction

from aiop.sim.semantics.errors import SemanticsError

Amount = Fraction

_TEXT = re.compile(r"^(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[EPTGMk]i?|Ki|[munp]|[eE][+-]?\d+|)$")
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Mapping[str, int] = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
# Beyond this every quantity is over the server's own bound (or rounds up to a nano), and the power would take for ever.
_LARGEST_EXPONENT = 400


class BadQuantity(SemanticsError, ValueError):
    """Raised when a text is no quantity."""


def parse(text: str) -> Fraction:
    """The exact value of a quantity; raises BadQuantity."""
    found = _TEXT.match(text)
    if found is None or found["suffix"] in {"p", "ki"}:
        raise BadQuantity(
            f"{text!r} is no quantity: quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return Fraction(found["number"]) * _factor(found["suffix"])


def canonical(text: str) -> str:
    """The form that the server answers with: no fraction, the largest suffix of the same family that fits."""
    value, suffix = parse(text), _suffix_of(text)
    if suffix in _BINARY and value.denominator == 1:
        return _binary(value)
    # Smaller than a nano rounds up.
    nanos = -(-value.numerator * 10**9 // value.denominator)
    return _decimal(nanos, exponent="e" in suffix.lower() and suffix not in _DECIMAL and suffix not in _BINARY)


def _suffix_of(text: str) -> str:
    found = _TEXT.match(text)
    return found["suffix"] if found else ""


def _factor(suffix: str) -> Fraction:
    if suffix in _BINARY:
        return Fraction(1024) ** (_BINARY.index(suffix) + 1)
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix]
    return Fraction(10) ** max(-_LARGEST_EXPONENT, min(int(suffix[1:]), _LARGEST_EXPONENT))


def _binary(value: Fraction) -> str:
    amount, power = int(value), 0
    while amount and amount % 1024 == 0 and power < len(_BINARY):
        amount, power = amount // 1024, power + 1
    return f"{amount}{_BINARY[power - 1] if power else ''}"


def _decimal(nanos: int, *, exponent: bool) -> str:
    if nanos == 0:
        return "0"
    power = -9
    largest = _DECIMAL["E"]
    while nanos % 1000 == 0 and power < largest:
        nanos, power = nanos // 1000, power + 3
    suffix = next(name for name, value in _DECIMAL.items() if value == power)
    return f"{nanos}e{power}" if exponent and power else f"{nanos}{suffix}"
