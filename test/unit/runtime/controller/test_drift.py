from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.runtime.controller.drift import intent_hash, quantity, says

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_what_is_live_says_itself(value: Any) -> None:
    assert says(value, value)


@given(st.dictionaries(st.sampled_from("abcd"), json_values), st.dictionaries(st.sampled_from("wxyz"), json_values))
def test_what_the_server_adds_does_not_matter(wanted: dict[str, Any], more: dict[str, Any]) -> None:
    assert says(wanted | more, wanted)


@given(json_values, json_values)
def test_the_hash_of_an_intent_does_not_depend_on_the_order_of_keys(one: Any, other: Any) -> None:
    assert intent_hash({"a": one, "b": other}) == intent_hash({"b": other, "a": one})


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 2}, {"a": 1}),
        ({}, {"a": 1}),
        (None, {"a": 1}),
        ({"a": "1"}, {"a": 1}),
        ({"a": True}, {"a": 1}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": [2, 1]}, {"a": [1, 2]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}),
        ({"a": {"b": 1}}, {"a": [1]}),
        ({"a": "text"}, {"a": {"b": 1}}),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}),
        ({"limits": {}}, {"limits": {"cpu": "1"}}),
    ],
)
def test_a_difference_is_seen(live: object, wanted: object) -> None:
    assert not says(live, wanted)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({}, {"a": {}}),
        ({}, {"a": []}),
        ({}, {"a": None}),
        ({"a": [{"b": 1, "added": True}]}, {"a": [{"b": 1}]}),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}),
        ({"requests": {"memory": "1Gi"}}, {"requests": {"memory": "1024Mi"}}),
        ({"share": 1}, {"share": 1.0}),
    ],
)
def test_another_way_to_say_the_same_is_no_difference(live: object, wanted: object) -> None:
    assert says(live, wanted)


def test_texts_that_look_like_amounts_are_compared_as_texts_elsewhere() -> None:
    assert not says({"args": ["1000m"]}, {"args": ["1"]})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", Decimal(1)),
        ("1.5", Decimal("1.5")),
        (".5", Decimal("0.5")),
        ("100m", Decimal("0.1")),
        ("1k", Decimal(1000)),
        ("1Ki", Decimal(1024)),
        ("2Gi", Decimal(2 * 1024**3)),
        ("1e3", Decimal(1000)),
        ("1E", Decimal(10**18)),
        ("1Ei", Decimal(1024**6)),
    ],
)
def test_an_amount_is_a_number(text: str, number: Decimal) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1gi", "--1", "1e", "0x1", "1Gi\n"])
def test_what_is_no_amount_stays_a_text(text: str) -> None:
    assert quantity(text) == text


def test_an_amount_beyond_all_bounds_raises_nothing() -> None:
    assert says({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1e99999999999999999999"}}) is False
