"""A text as the model reads it: the same for the sentences that it learns from and for those that it is asked about."""

import re

_WORD = re.compile(r"[a-z']+")


def words_of(text: str) -> list[str]:
    """The text's words of English letters, in lower case; whatever else stands in it is left out."""
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def normalized(text: str) -> str:
    """The words with one space between them, as the model's graph expects its input."""
    return " ".join(words_of(text))
