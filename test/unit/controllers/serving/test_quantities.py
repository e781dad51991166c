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


@pytest.mark.parametrize("text", ["1e99999999999999", "9e999999999999E", "1e99999999999999999999999"])
def test_an_amount_beyond_all_bounds_is_more_than_any_other(text: str) -> None:
    assert value_of(text) > Decimal(10) ** 30
