"""The release comes and goes and changes its version under load: what is served is served all the while."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.generated.chart import SCHEMA_MARK
from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.helm import CHART, OLD_CHART, Helm
from support.kubectl import Kubectl, eventually
from support.released import WAITED, put_back
from support.replicas import RELEASE, SYSTEM, Replicas
from support.visitors import Visits, visitors
from support.workloads import wait_for, workload

pytestmark = [pytest.mark.real, pytest.mark.slow]
DEFINITIONS = ("aiworkloads.geartickler.com", "servingruntimes.geartickler.com")
_PAGE = "/site/index.html"


@pytest.fixture
def helm(node: NodeCluster, released: object) -> Helm:
    return Helm(node.kubeconfig, SYSTEM)


def site(name: str, page: str) -> dict[str, Any]:
    """A web server with one page."""
    # A shell that is process 1 ends by SIGTERM only if it says so.
    server = "trap 'exit 0' TERM; httpd -f -p 9000 -h /tmp & wait"
    serves = f"mkdir -p /tmp{page.rpartition('/')[0]} && echo well > /tmp{page}; {server}"
    return workload(
        name,
        framework=None,
        image=ensure_image("busybox").reference,
        args=["sh", "-c", serves],
        ports=[{"name": "web", "containerPort": 9000}],
        inferenceEndpoint=page,
    )


@pytest.fixture
def served(node: NodeCluster, team: Kubectl, replicas: Replicas) -> Iterator[Kubectl]:
    """A web server that visitors reach through the Ingress."""
    node.load(ensure_image("busybox").archive)
    team.apply(site("site", _PAGE))
    wait_for(team, "Ready", "True", name="site")
    with visitors(f"{node.traffic_url}{_PAGE}") as first:
        eventually(lambda: first.answered > 5, told=lambda: first.failed[-3:])
    yield team
    # The first version knows no other time to end than its own long one, which is not waited for.
    team("delete", "aiworkload", "--all", "--wait=false")
    eventually(lambda: team.items("replicasets") == [])
    team("delete", "pods", "--all", "--force", "--grace-period=0")


def lives(kubectl: Kubectl) -> dict[str, list[Any]]:
    """The pods that serve, and how often and since when their containers run."""
    return {
        pod["metadata"]["uid"]: [(each["restartCount"], each["state"]) for each in pod["status"]["containerStatuses"]]
        for pod in kubectl.items("pods", "-l", "geartickler.com/aiworkload=site")
    }


def marks(admin: Kubectl) -> list[str | None]:
    """Which schemas the cluster has."""
    return [admin.get("crd", name)["metadata"]["annotations"].get(SCHEMA_MARK) for name in DEFINITIONS]


def visited(node: NodeCluster) -> Any:
    return visitors(f"{node.traffic_url}{_PAGE}")


def answered_to_all(visits: Visits) -> bool:
    return visits.failed == [] and visits.answered > 20


def test_the_upgrade_from_the_first_version_and_the_way_back_restart_no_server_and_lose_no_request(
    node: NodeCluster, admin: Kubectl, helm: Helm, replicas: Replicas, served: Kubectl, tmp_path: Path
) -> None:
    before, spec = lives(served), served.get("aiworkload", "site")["spec"]
    with visited(node) as visits:
        with put_back(helm, tmp_path):
            # That version's own image is nowhere here; the one that runs is not ready with that version's rights.
            helm("upgrade", RELEASE, OLD_CHART, *old_values(replicas))
            on_the_first_version(admin, helm, visits)
            assert lives(served) == before
            # As the page on upgrades says; and back as it says.
            helm("upgrade", RELEASE, CHART, "--reset-then-reuse-values", *WAITED)
            assert None not in marks(admin)
            assert replicas.ready(2)
            works(served)
            helm("rollback", RELEASE)
            on_the_first_version(admin, helm, visits)
            assert lives(served) == before
        assert None not in marks(admin)
        works(served)
    assert answered_to_all(visits), visits
    assert lives(served) == before
    assert served.get("aiworkload", "site")["spec"] == spec


def on_the_first_version(admin: Kubectl, helm: Helm, visits: Visits) -> None:
    """Chart and definitions are the first version's, and visitors are answered all the same."""
    (release,) = json.loads(helm("list", "--filter", f"^{RELEASE}$", "--output", "json"))
    assert release["chart"] == "aiop-0.1.0"
    assert marks(admin) == [None, None]
    seen = visits.answered
    eventually(lambda: visits.answered > seen + 20)


def test_an_uninstall_keeps_the_definitions_and_what_is_served(
    node: NodeCluster, admin: Kubectl, helm: Helm, replicas: Replicas, served: Kubectl, tmp_path: Path
) -> None:
    before = lives(served)
    with visited(node) as visits, put_back(helm, tmp_path):
        helm("uninstall", RELEASE, *WAITED)
        assert replicas.kubectl.items("deployments") == []
        assert None not in marks(admin)
        assert served.get("aiworkload", "site")["spec"]["inferenceEndpoint"] == _PAGE
        seen = visits.answered
        eventually(lambda: visits.answered > seen + 20)
    works(served)
    assert answered_to_all(visits), visits
    assert lives(served) == before


def old_values(replicas: Replicas) -> list[str]:
    """The image that runs; that chart knows no registry."""
    (deployment,) = replicas.kubectl.items("deployments")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    repository, _, tag = image.rpartition(":")
    settings = {"repository": repository, "tag": tag, "pullPolicy": "Never"}
    return ["--reset-values", *(word for key in settings for word in ("--set", f"image.{key}={settings[key]}"))]


def works(served: Kubectl) -> None:
    """The operator serves what comes now, too."""
    served.apply(site("later", "/later/index.html"))
    wait_for(served, "Ready", "True", name="later")
    served("delete", "aiworkload", "later")
