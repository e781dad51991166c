"""What a Kubernetes quantity comes to."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"^(?P<number>[0-9.]+)(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]+))?$")
_SUFFIXES = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("numkMGTPE", start=-3) if suffix in "num"},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
# No resource has an amount with more digits; an exponent is a tenant's text and may be anything.
_LARGEST_EXPONENT = 30


def value_of(quantity: str) -> Decimal:
    """The number that ``quantity`` (by the API's own pattern) stands for; an absurd exponent counts as the largest."""
    found = _QUANTITY.match(quantity)
    if found is None:
        message = f"{quantity!r} is no quantity"
        raise ValueError(message)
    number = Decimal(found["number"])
    if found["exponent"] is not None:
        exponent = max(-_LARGEST_EXPONENT, min(_LARGEST_EXPONENT, int(found["exponent"])))
        return number * Decimal(10) ** exponent
    return number * _SUFFIXES.get(found["suffix"] or "", Decimal(1))
