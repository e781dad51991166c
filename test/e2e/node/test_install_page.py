"""The page on installation, followed on a real node: its commands are run, and answer as it shows."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.helm import ensure_helm
from hack.node.cluster import NodeCluster
from support.helm import CHART, Helm
from support.kubectl import Kubectl, eventually
from support.pagerun import follow
from support.pages import ROOT, blocks
from support.released import WAITED, put_back
from support.replicas import RELEASE, SYSTEM, Replicas

pytestmark = [pytest.mark.real, pytest.mark.slow]
PAGE = "docs/how-to/install.md"


@pytest.fixture
def checkout(node: NodeCluster, replicas: Replicas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a reader stands: in the repository, with helm on the PATH, before a cluster that reaches the image."""
    (deployment,) = replicas.kubectl.items("deployments")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    known_as_published(node, image)
    monkeypatch.setenv("PATH", f"{ensure_helm().parent}{os.pathsep}{os.environ['PATH']}")
    for folder in ("charts", "manifests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    helm = Helm(node.kubeconfig, SYSTEM)
    with put_back(helm, tmp_path):
        helm("uninstall", RELEASE, *WAITED)
        yield tmp_path


def known_as_published(node: NodeCluster, image: str) -> None:
    """What was made here has the name that the chart gives it, so that nothing needs to be pulled."""
    rendered = Helm(node.kubeconfig, SYSTEM)("template", CHART, "--show-only", "templates/deployment.yaml")
    published = yaml.safe_load(rendered)["spec"]["template"]["spec"]["containers"][0]["image"]
    node.name(image, published)


def test_the_page_leads_to_an_operator_that_is_well(checkout: Path, node: NodeCluster, replicas: Replicas) -> None:
    assert follow(PAGE, checkout, node.kubeconfig) >= 6
    assert replicas.ready(2)


def test_the_pages_way_with_kustomize_leads_there_too(checkout: Path, node: NodeCluster, replicas: Replicas) -> None:
    (command,) = [block.text.strip() for block in blocks(PAGE) if "-k manifests/base" in block.text]
    program, *words = command.split()
    assert program == "kubectl"
    Kubectl(node.kubeconfig, "")(*words[:-1], str(checkout / words[-1]))
    eventually(lambda: replicas.ready(2) and replicas.leader(), told=lambda: replicas.kubectl("get", "pods"))
