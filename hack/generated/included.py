"""Pages that show files: what stands between their markers is the file itself, as the tests run it."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

_PAGES = "docs"
_MARKED = re.compile(r"(<!-- file: (?P<file>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".lua": "lua"}


def pages_with_files(root: Path) -> Iterator[tuple[str, str]]:
    """Path and content of each page that shows a file."""
    for page in sorted((root / _PAGES).rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if _MARKED.search(text):
            yield str(page.relative_to(root)), _MARKED.sub(partial(_shown, page.parent), text)


def _shown(folder: Path, match: re.Match[str]) -> str:
    file = folder / match["file"]
    language = _LANGUAGES.get(file.suffix, "")
    content = file.read_text(encoding="utf-8")
    return f"{match[1]}```{language}\n{content}```\n{match[3]}"
