"""The written pages: their code blocks, links and anchors, as GitHub reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *$", re.MULTILINE)
_ID = re.compile(r"<a id=\"(?P<id>[^\"]+)\">")
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page; ``line`` is where its text begins."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page, as it is written."""

    page: str
    target: str

    def __str__(self) -> str:
        return f"{self.page}→{self.target}"


def pages() -> list[str]:
    """Every page that people read, by its path in the repository."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "charts").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def text_of(page: str) -> str:
    """What stands in it."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """Its fenced blocks, without the indentation that the fence has."""
    text = text_of(page)
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        indent = len(match["indent"])
        lines = [each[indent:] for each in match["text"].splitlines(keepends=True)]
        yield Block(page, line, match["language"], "".join(lines))


def links(page: str) -> Iterator[Link]:
    """Its links, those in code left out."""
    for match in _LINK.finditer(_INLINE_CODE.sub("", _prose(page))):
        yield Link(page, match["target"])


def anchors(page: str) -> set[str]:
    """What a link may have after its `#`: headings by GitHub's rule, and ids that the page sets itself."""
    prose = _prose(page)
    slugs: set[str] = set()
    for match in _HEADING.finditer(prose):
        slug = _slug(match["text"])
        numbers = (f"{slug}-{number}" for number in range(1, 1000))
        slugs.add(slug if slug not in slugs else next(each for each in numbers if each not in slugs))
    return slugs | {match["id"] for match in _ID.finditer(prose)}


def _prose(page: str) -> str:
    return _COMMENT.sub("", _FENCE.sub("", text_of(page)))


def _slug(heading: str) -> str:
    words = _LINK.sub(lambda match: match[0][1:].partition("]")[0], heading)
    return _NOT_IN_A_SLUG.sub("", words.lower()).replace(" ", "-")
