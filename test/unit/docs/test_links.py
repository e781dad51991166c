"""Links of every page, README included: they lead somewhere, on GitHub as on the site."""

import pytest

from support.pages import ROOT, Link, anchors, links, pages

LINKS = [link for page in pages() for link in links(page)]
INSIDE = [link for link in LINKS if not link.target.startswith("https://")]


@pytest.mark.parametrize("link", INSIDE, ids=str)
def test_a_link_inside_leads_to_a_file_and_to_a_heading_in_it(link: Link) -> None:
    assert ":" not in link.target, "a link outside begins with https://"
    path, _, anchor = link.target.partition("#")
    target = (ROOT / link.page).parent / path if path else ROOT / link.page
    assert target.exists()
    if anchor:
        assert anchor in anchors(str(target.resolve().relative_to(ROOT)))


def test_a_page_of_the_site_links_to_nothing_beside_the_site() -> None:
    pages_of_the_site = [link for link in INSIDE if link.page.startswith("docs/") and not link.target.startswith("#")]
    docs = (ROOT / "docs").resolve()
    outside = [
        str(link)
        for link in pages_of_the_site
        if not ((ROOT / link.page).parent / link.target.partition("#")[0]).resolve().is_relative_to(docs)
    ]
    assert outside == []


def test_pages_and_links_are_found_at_all() -> None:
    assert {"README.md", "docs/index.md", "docs/how-to/install.md"} <= set(pages())
    assert Link("docs/index.md", "how-to/install.md") in INSIDE
    assert "spec.modelName" in anchors("docs/reference/aiworkload.md")
    assert "condition-accepted" in anchors("docs/reference/conditions.md")
