"""Troubleshooting by symptom: whatever a reason asks somebody to do has a place on the page."""

import re

import pytest

from aiop.controllers.serving.reasons import REASONS, Reason
from support.pages import text_of

PAGE = text_of("docs/how-to/troubleshooting.md")
TABLE, *SECTIONS = PAGE.split("\n## ")[1:]
_LINKED = re.compile(r"\]\(\.\./reference/conditions\.md#([a-z]+)\)")
# Nothing is wrong: what to do is what was meant to be done.
_AS_ASKED = {"ScaledToZero"}
TO_DO = [reason for reason in REASONS if reason.fix and reason.name not in _AS_ASKED]


@pytest.mark.parametrize("reason", TO_DO, ids=lambda reason: reason.name)
def test_a_reason_that_asks_for_something_is_in_the_first_table_and_in_a_section(reason: Reason) -> None:
    assert f"`{reason.name}`" in TABLE
    sections = [section for section in SECTIONS if reason.name.lower() in _LINKED.findall(section)]
    assert sections, f"no section is shown by {reason.name}"


def test_the_page_names_no_reason_that_does_not_exist() -> None:
    known = {reason.name.lower() for reason in REASONS}
    assert [name for name in _LINKED.findall(PAGE) if name not in known] == []
    named = re.findall(r"^\| (`[^|]+) \| \[", TABLE, re.MULTILINE)
    assert named
    assert {name.lower() for cell in named for name in re.findall(r"`(\w+)`", cell)} <= known


def test_every_section_that_a_reason_leads_to_says_what_it_means_or_what_to_do() -> None:
    for section in SECTIONS:
        if "**Shown by** [" in section:
            assert "**Do" in section or "| do |" in section, section.splitlines()[0]
