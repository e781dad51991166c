"""The tutorials, as a newcomer follows them: every command is run, every answer compared with the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.demoprocess import Demo
from support.kubectl import Kubectl
from support.pagerun import follow

_KUBECONFIG = re.compile(r"--kubeconfig (\S+)")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """That of a demo on the embedded cluster, for as long as the tutorials take."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        demo.until("Ctrl-C ends the demo")
        match = _KUBECONFIG.search(demo.printed)
        assert match is not None
        yield Path(match[1])
        demo.interrupt()
    finally:
        demo.kill()


@pytest.mark.parametrize("page", ["docs/tutorials/first-model.md", "docs/tutorials/from-deployment.md"])
def test_a_tutorial_answers_as_its_page_says(page: str, kubeconfig: Path, tmp_path: Path) -> None:
    assert follow(page, tmp_path, kubeconfig) >= 10
    assert len(Kubectl(kubeconfig).items("aiworkloads")) == 3, "a tutorial leaves the cluster as it found it"
