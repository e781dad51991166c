"""A real cluster of one node: pods run, Services and DNS answer, requests come in through Traefik.

It needs root. Elsewhere its tests are left out, but with CI=true, where they must run. $AIOP_NODE_FOLDER names a
cluster that is taken if it runs there, and left running; without it each session has its own.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.kubectl import Kubectl, eventually
from support.release import install_release, uninstall_release
from support.replicas import SYSTEM, Replicas
from support.workloads import restricted_namespace

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs root, where there is none and nobody insists."""
    if os.geteuid() and os.environ.get("CI") != "true":
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason="the node's tests need root: sudo make e2e-node"))


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeCluster]:
    """The cluster; see `hack.node.cluster` for what can be done with it."""
    kept = os.environ.get("AIOP_NODE_FOLDER")
    if kept:
        cluster = NodeCluster(Path(kept))
        yield cluster if cluster.attach() else cluster.start(detached=True)
        return
    with NodeCluster(tmp_path_factory.mktemp("node")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def admin(node: NodeCluster) -> Kubectl:
    """An administrator's kubectl."""
    return Kubectl(node.kubeconfig)


@pytest.fixture(scope="session")
def busybox(node: NodeCluster) -> str:
    """The reference of a small image that the node has."""
    image = ensure_image("busybox")
    node.load(image.archive)
    return image.reference


@pytest.fixture
def team(admin: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a restricted namespace of the test's own; gone with all that is in it before the next test."""
    name = f"team-{os.getpid()}-{next(_numbers)}"
    admin.apply(restricted_namespace(name))
    mine = Kubectl(admin.kubeconfig, name)
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    yield mine
    admin("delete", "namespace", name, "--timeout=90s")


@pytest.fixture(scope="session")
def released(node: NodeCluster, admin: Kubectl) -> Iterator[str]:
    """The operator as people run it: its chart by `helm install`, two replicas of its image; its namespace."""
    install_release(node, admin)
    yield SYSTEM
    if "AIOP_NODE_FOLDER" not in os.environ:
        uninstall_release(admin)


@pytest.fixture
def replicas(node: NodeCluster, admin: Kubectl, released: str) -> Replicas:
    """The release's pods, both ready and one of them leading, whatever the test before did to them."""
    found = Replicas(admin, node.audit_log)
    eventually(lambda: found.ready(2) and found.leader(), told=lambda: found.kubectl("get", "pods"))
    return found
