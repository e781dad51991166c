"""The site's build: it fails where a reader would be led astray."""

import shutil
from pathlib import Path

import pytest

from hack.docs import ROOT, build


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of two pages with the settings of ours."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("# What follows is generated")[0]
    (tmp_path / "mkdocs.yml").write_text(settings + "nav: [index.md, other.md]\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# One\n\n[two](other.md#two)\n")
    (tmp_path / "docs" / "other.md").write_text("# Two\n")
    return tmp_path


def test_a_site_without_a_fault_is_built(site: Path) -> None:
    assert build(site / "built", site) == 0
    assert 'href="other.html#two"' in (site / "built" / "index.html").read_text()


@pytest.mark.parametrize("link", ["nowhere.md", "other.md#three", "/other.md", "folder/"])
def test_a_link_to_nowhere_fails_the_build_and_is_named(
    site: Path, capfd: pytest.CaptureFixture[str], link: str
) -> None:
    (site / "docs" / "other.md").write_text(f"# Two\n\n[somewhere]({link})\n")
    assert build(site / "built", site) != 0
    assert link in capfd.readouterr().err


def test_a_page_that_no_reader_finds_fails_the_build(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copy(site / "docs" / "other.md", site / "docs" / "hidden.md")
    assert build(site / "built", site) != 0
    assert "hidden.md" in capfd.readouterr().err
