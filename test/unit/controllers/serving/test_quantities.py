from decimal import Decimal

import pytest

from aiop.controllers.serving.quantities import value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("500m", "0.5"), ("4Gi", 4 * 2**30), ("1.5k", 1500), ("2E", 2 * 10**18), ("1e3", 1000), (".5", "0.5"),
     ("1u", "0.000001"), ("3n", "0.000000003"), ("1Ei", 2**60), ("12e-1", "1.2")],
)  # fmt: skip
def test_a_quantity_comes_to_its_number(text: str, value: object) -> None:
    assert value_of(text) == Decimal(str(value))


def test_an_absurd_exponent_costs_nothing() -> None:
    assert value_of("1e99999999999999") == Decimal(10) ** 30
    assert value_of("1e-99999999999999") == Decimal(10) ** -30


@pytest.mark.parametrize("text", ["", "x", "-1", "1 Gi"])
def test_what_is_no_quantity_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        value_of(text)
