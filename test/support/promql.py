"""What a PromQL expression asks for: metrics, matchers, and the labels that it groups by. Nothing else is read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<range>\[[^\]]*\])|(?P<comment>\#[^\n]*)"""
    r"""|(?P<name>[a-zA-Z_:$][\w:$]*)|(?P<number>[0-9][\w.]*)|(?P<sign>=~|!~|!=|==|>=|<=|.))""",
    re.DOTALL,
)
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    operator: str
    value: str

    def admits(self, value: str) -> bool:
        """True if a series with that value passes."""
        same = bool(re.fullmatch(self.value, value)) if "~" in self.operator else self.value == value
        return same != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Query:
    """The selectors, each a metric with its matchers, and every label that something is grouped or joined by."""

    selectors: tuple[tuple[str, tuple[Matcher, ...]], ...]
    labels: frozenset[str]


def read(expression: str) -> Query:
    """All that an expression asks for."""
    tokens = [match for match in _TOKEN.finditer(expression) if match["comment"] is None and match.group().strip()]
    words = [match.group().strip() for match in tokens]
    selectors: list[tuple[str, tuple[Matcher, ...]]] = []
    labels: set[str] = set()
    position = 0
    while position < len(words):
        word, is_name = words[position], tokens[position]["name"] is not None
        following = words[position + 1] if position + 1 < len(words) else ""
        if is_name and word in _GROUPING and following == "(":
            end = words.index(")", position)
            labels |= {each for each in words[position + 2 : end] if each != ","}
            position = end
        elif is_name and following == "{":
            end = words.index("}", position)
            selectors.append((word, tuple(_matchers(words[position + 2 : end]))))
            position = end
        elif is_name and following != "(" and word.lower() not in _WORDS | _GROUPING and not _aggregates(following):
            selectors.append((word, ()))
        position += 1
    return Query(tuple(selectors), frozenset(labels))


def _aggregates(following: str) -> bool:
    return following in {"by", "without"}


def _matchers(words: Sequence[str]) -> Iterator[Matcher]:
    found = [word for word in words if word != ","]
    for label, operator, value in zip(found[::3], found[1::3], found[2::3], strict=True):
        yield Matcher(label, operator, value[1:-1].replace(r"\\", "\\"))
