"""Other people's words in a message."""

from aiop.controllers.serving.words import WORDS, one_line


def test_lines_become_one_line() -> None:
    assert one_line("out\nof \t memory\r\n") == "out of memory"


def test_of_what_is_too_long_the_end_is_kept() -> None:
    found = one_line("noise " * 1_000_000 + "the cause")
    assert found.startswith("…")
    assert found.endswith("the cause")
    assert len(found) == WORDS + 1


def test_what_moves_a_cursor_or_turns_text_around_is_left_out() -> None:
    assert one_line("a\x1b[31mb\x00c\u202ed\u200be") == "a[31mbcde"
