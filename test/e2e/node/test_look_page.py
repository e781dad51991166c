"""The page on looking at a workload, followed on a real node with a real model: its transcripts are what is answered.

AIOP_RECORD=1 writes them into the page.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.node.cluster import NodeCluster
from support import models
from support.kubectl import Kubectl, eventually
from support.pagerun import follow, shows_all
from support.servedmodels import Models, load_image
from support.workloads import restricted_namespace

pytestmark = [pytest.mark.real, pytest.mark.slow]
PAGE = "docs/how-to/look.md"
# The page names it.
NAMESPACE = "team-a"


@pytest.fixture
def reader(node: NodeCluster, admin: Kubectl, released: str, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of one whose namespace has the claim `models` with iris in it, where MLServer is published."""
    admin.apply(restricted_namespace(NAMESPACE))
    mine = Kubectl(admin.kubeconfig, NAMESPACE)
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    claim = Models(admin, mine, tmp_path / "models")
    claim.put(models.iris().files("1"), "iris/1")
    # The operator brings its runtimes when it leads.
    eventually(lambda: admin.run("get", "servingruntime", "mlserver-sklearn").returncode == 0)
    published = admin.get("servingruntime", "mlserver-sklearn")["spec"]["image"]
    node.name(load_image(node, "mlserver"), f"docker.io/{published}")
    kubeconfig = Path(shutil.copy(node.kubeconfig, tmp_path / "kubeconfig"))
    Kubectl(kubeconfig)("config", "set-context", "--current", f"--namespace={NAMESPACE}")
    yield kubeconfig
    claim.close()
    admin("delete", "namespace", NAMESPACE, "--timeout=90s")


def test_the_page_shows_what_a_person_sees(reader: Path, tmp_path: Path) -> None:
    assert follow(PAGE, tmp_path, reader, same=shows_all) >= 10
