"""Writes into a page what its commands really answered.

With AIOP_RECORD=1 in its environment a test that follows a page rewrites each answer that the page does not show as it
is: whole, and with … for what differs from run to run by the rules below. An answer that the page shows well already
stays as it stands there, so that what was left out by hand stays left out.
"""

import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path

from support.pages import Block

LEFT_OUT = "…"
_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"  # those of which Kubernetes makes the ends of names
# In their order: what one has taken, the next does not see.
_VARYING = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),  # times
    re.compile(r"\b\d\d:\d\d:\d\dZ"),
    re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),  # UIDs
    re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b(/\d+)?"),  # addresses
    # A revision's hash behind a name, and with it those of its ReplicaSet and pod.
    re.compile(rf"(?<=-)[0-9a-f]{{10}}\b(-{_LETTERS}{{8,10}}(-{_LETTERS}{{5}})?\b)?"),
    re.compile(r"(?<=Resource Version:) +\d+"),
    re.compile(r"(?<=[\s(])(\d+[dhms])+(?=$|[\s,;)])", re.MULTILINE),  # ages
)
# `Cpu:  100m` is an amount, no age.
_FIELD, _AMOUNT = re.compile(r": +\Z"), re.compile(r"\d+m")


def recording() -> bool:
    """True if who runs the test wants its answers on the page."""
    return os.environ.get("AIOP_RECORD") == "1"


def without_what_varies(answer: str) -> str:
    """The answer with … for what another run would answer otherwise; columns stay where they are."""
    for pattern in _VARYING:
        answer = pattern.sub(_left_out, answer)
    return "\n".join(line.rstrip() for line in answer.rstrip().splitlines())


def record(page: Path, answers: Iterable[tuple[Block, str, str]]) -> None:
    """Give the page's console blocks these commands, each with its answer; all those of a block, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    by_block = [(block, list(steps)) for block, steps in itertools.groupby(answers, key=lambda each: each[0])]
    for block, steps in reversed(by_block):
        text = [line for _, command, answer in steps for line in (*f"$ {command}".splitlines(), *answer.splitlines())]
        start = block.line - 1
        lines[start : start + len(block.text.splitlines())] = text
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _left_out(match: re.Match[str]) -> str:
    if _FIELD.search(match.string[: match.start()]) and _AMOUNT.fullmatch(match[0]):
        return match[0]
    following = match.string[match.end() : match.end() + 2]
    column = following.isspace() and "\n" not in following
    varying = match[0].lstrip()
    return match[0].removesuffix(varying) + LEFT_OUT.ljust(len(varying) if column else 1)
