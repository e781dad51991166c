"""The site's navigation: every page, in an order for readers; a new page comes after those with a place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_CONFIGURATION = "mkdocs.yml"
_MARKED = re.compile(r"(# What follows is generated.*?\n).*", re.DOTALL)
# Folder, its title, and the pages that have a place of their own.
_SECTIONS = (
    ("tutorials", "Tutorials", ("first-model", "from-deployment")),
    (
        "how-to",
        "How-to",
        ("install", "upgrade", "uninstall", "models", "expose", "scale", "look", "monitor", "troubleshooting"),
    ),
    ("runbooks", "Runbooks", ("README", "index")),
    ("reference", "Reference", ("api", "aiworkload", "servingruntime", "conditions", "helm-values", "cli", "metrics")),
    ("explanation", "Explanation", ("architecture",)),
    ("adr", "Decisions", ("README",)),
)


def navigation_files(root: Path, generated: set[str]) -> Iterator[tuple[str, str]]:
    """`mkdocs.yml` with every page that is there or ``generated`` in its navigation."""
    pages = {str(page.relative_to(root)) for page in (root / "docs").rglob("*.md")} | generated
    found = sorted(page.removeprefix("docs/") for page in pages if page.startswith("docs/") and page.endswith(".md"))
    text = (root / _CONFIGURATION).read_text(encoding="utf-8")
    written: str = yaml.safe_dump({"nav": list(_navigation(found))}, sort_keys=False, width=120)
    yield _CONFIGURATION, _MARKED.sub(lambda match: match[1] + written, text)


def _navigation(pages: list[str]) -> Iterator[Any]:
    yield from (page for page in pages if "/" not in page)
    for folder, title, order in _SECTIONS:
        mine = [page for page in pages if page.startswith(f"{folder}/")]
        if mine:
            yield {title: sorted(mine, key=lambda page: _place(page.removeprefix(f"{folder}/"), order))}
    known = tuple(f"{folder}/" for folder, _, _ in _SECTIONS)
    yield from (page for page in pages if "/" in page and not page.startswith(known))


def _place(page: str, order: tuple[str, ...]) -> tuple[int, str]:
    name = page.removesuffix(".md")
    return (order.index(name) if name in order else len(order)), page
