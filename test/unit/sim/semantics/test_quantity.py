import pytest

from aiop.sim.semantics.quantity import BadQuantity, canonical, parse


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1000m", "1"),
        ("0.1", "100m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("-500m", "-500m"),
        ("1.0", "1"),
    ],
)
def test_a_quantity_is_answered_in_its_canonical_form(text: str, form: str) -> None:
    assert canonical(text) == form


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1gi", "--1", "0x1", "1ki"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity):
        parse(text)


def test_an_exponent_beyond_all_bounds_takes_no_time() -> None:
    assert parse("1e999999999999") > parse("1E")
    assert parse("1e-999999999999") < parse("1n")
