"""The list of checks itself: no line without a test or a reason, and no test of a line that there is not."""

import pytest

from hack.generated.security import CHECKS, security_checks

LINES = range(1, 33)


def test_every_line_is_on_the_list() -> None:
    assert list(CHECKS) == list(LINES)


@pytest.mark.parametrize("number", LINES)
def test_a_line_is_proved_by_tests_or_says_what_does_not_exist_yet(number: int) -> None:
    proved = [each for each in security_checks() if str(number) in each.arguments]
    assert proved or CHECKS[number].open


def test_no_test_proves_a_line_that_there_is_not() -> None:
    known = {str(number) for number in LINES}
    assert {line for each in security_checks() for line in each.arguments} <= known
