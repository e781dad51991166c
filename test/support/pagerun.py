"""Does what a page says: its files are written, its console commands run one after the other, their answers compared.

In an answer … stands for anything, and lines that are not shown may stand between and around those that are; where a
page is to show answers whole (`shows_all`), a line … stands for lines that are left out. AIOP_RECORD=1 has the answers
written into the page (`support.transcripts`).
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.kubectl import eventually
from support.pages import ROOT, Block, blocks, text_of
from support.transcripts import LEFT_OUT, record, recording, without_what_varies

_SAVED = re.compile(r"[Ss]ave (?:this|it) as `(?P<name>[\w.-]+)`.*:$")
_PROMPT = "$ "
# How kubectl begins what it says to who asked for something wrong.
_REFUSAL = re.compile(r"(error|Error from server|The [A-Za-z]+ \S+ is invalid)\b", re.IGNORECASE)
# Longer than any wait on a page, so that kubectl itself says what it waited for.
_SECONDS = 330
# Asking again does no harm, and the answer may lag a moment behind.
_ASKING = ("kubectl get ", "kubectl events ", "kubectl describe ", "aiop explain ")
# Whether an answer is the one whose lines are shown.
Comparing = Callable[[str, tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it is typed, and the lines of its answer that the page shows."""

    block: Block
    command: str
    shown: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.block}: {self.command}"

    @property
    def refused(self) -> bool:
        """Whether the page shows that it fails."""
        return any(_REFUSAL.match(line) for line in self.shown)


def saved_files(page: str) -> Iterator[tuple[str, str]]:
    """Name and content of each file that the reader is told to save."""
    lines = text_of(page).splitlines()
    for block in blocks(page):
        # The block's text begins a line after its fence; a mark of the generator may stand before that.
        before = [line for line in lines[: block.line - 2] if line and not line.startswith("<!--")]
        if before and (match := _SAVED.search(before[-1])):
            yield match["name"], block.text


def steps(page: str) -> Iterator[Step]:
    """Every command of the page's console blocks."""
    for block in blocks(page):
        if block.language == "console":
            yield from _steps(block)


def matches(answer: str, shown: tuple[str, ...]) -> bool:
    """True if the answer has the lines that are shown, in their order."""
    lines = iter([_words(line) for line in answer.splitlines()])
    return all(any(_pattern(line).fullmatch(each) for each in lines) for line in shown if line.strip())


def shows_all(answer: str, shown: tuple[str, ...]) -> bool:
    """True if the lines that are shown are the answer, but for empty ones and those that a line … stands for."""
    lines = "".join(f"{_words(line)}\n" for line in answer.splitlines() if line.strip())
    patterns = (
        "(?:.*\n)*?" if line.strip() == LEFT_OUT else f"{_pattern(line).pattern}\n" for line in shown if line.strip()
    )
    return re.fullmatch("".join(patterns), lines) is not None


def follow(page: str, folder: Path, kubeconfig: Path, *, same: Comparing = matches) -> int:
    """Do all that the page says, in ``folder``; fails at the first step that answers otherwise. The number of steps."""
    for name, content in saved_files(page):
        (folder / name).write_text(content, encoding="utf-8")
    reader = _Reader(folder, kubeconfig, same)
    taken = list(steps(page))
    if recording():
        record(ROOT / page, [(step.block, step.command, reader.recorded(step)) for step in taken])
    else:
        for step in taken:
            reader.take(step)
    return len(taken)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who types the commands, in which folder and at which cluster, and what counts as the answer that is shown."""

    folder: Path
    kubeconfig: Path
    same: Comparing

    def take(self, step: Step) -> None:
        """Fails if it answers otherwise than is shown."""

        def answered() -> bool:
            done = self._run(step)
            said.append(done.stdout + done.stderr)
            assert bool(done.returncode) is step.refused, f"{step}\n{said[-1]}"
            return self.same(said[-1], step.shown)

        said: list[str] = []
        if step.command.startswith(_ASKING):
            eventually(answered, told=lambda: f"{step}\n{said[-1]}")
        else:
            assert answered(), f"{step}\n{said[-1]}"

    def recorded(self, step: Step) -> str:
        """What the page is to show: what it shows, as far as that is what is answered."""
        done = self._run(step)
        answer = done.stdout + done.stderr
        if self.same(answer, step.shown):
            return "\n".join(step.shown)
        return "\n".join(_as_shown(line, step.shown) for line in without_what_varies(answer).splitlines())

    def _run(self, step: Step) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        known = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}
        return subprocess.run(
            ["bash", "-c", step.command], cwd=self.folder, env=known, capture_output=True, text=True, check=False,
            timeout=_SECONDS,
        )  # fmt: skip


def _steps(block: Block) -> Iterator[Step]:
    command = ""
    shown: list[str] = []
    for line in block.text.splitlines():
        if line.startswith(_PROMPT):
            if command:
                yield Step(block, command, tuple(shown))
            command, shown = line.removeprefix(_PROMPT), []
        elif command.endswith("\\"):
            command += f"\n{line}"
        else:
            shown.append(line)
    yield Step(block, command, tuple(shown))


def _as_shown(line: str, shown: tuple[str, ...]) -> str:
    """The line with the … that was put into it by hand."""
    fitting = (each for each in shown if each.strip() != LEFT_OUT and _pattern(each).fullmatch(_words(line)))
    return next(fitting, line)


def _words(line: str) -> str:
    """Without the widths of columns."""
    return " ".join(line.split())


def _pattern(line: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in _words(line).split(LEFT_OUT))
    return re.compile(".*".join(parts))
