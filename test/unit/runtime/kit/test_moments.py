"""Moments out of the API server's text."""

from datetime import UTC, datetime

import pytest

from aiop.runtime.kit.moments import moment_of


def test_the_servers_text_is_a_moment() -> None:
    assert moment_of("2026-01-02T03:04:05Z") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-02T03:04:05", "9" * 1000])
def test_what_is_no_moment_with_a_zone_is_none(text: str) -> None:
    assert moment_of(text) is None
