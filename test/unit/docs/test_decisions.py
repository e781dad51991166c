"""Decisions: each has a number of its own, which its file and its heading share."""

import re

from support.pages import ROOT

FILES = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


def test_no_two_decisions_have_one_number() -> None:
    numbers = [file.name[:4] for file in FILES]
    assert numbers
    assert [number for number in set(numbers) if numbers.count(number) > 1] == []


def test_the_heading_of_a_decision_has_the_number_of_its_file() -> None:
    for file in FILES:
        heading = re.match(r"# (\d+)\. \S", file.read_text(encoding="utf-8"))
        assert heading is not None, f"{file.name}: begin with its number"
        assert int(heading[1]) == int(file.name[:4]), file.name
