"""What a Kubernetes quantity comes to."""

from decimal import Decimal

from aiop.runtime.controller.drift import quantity


def value_of(text: str) -> Decimal:
    """The number that ``text`` (by the API's own pattern) stands for; infinity if it is beyond all bounds."""
    value = quantity(text)
    return value if isinstance(value, Decimal) else Decimal("Infinity")
