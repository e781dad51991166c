"""A cluster leaves the machine as it found it, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.node.cluster import NodeCluster
from hack.node.namespace import REPOSITORY
from support.kubectl import Kubectl, eventually
from support.realpods import restricted_pod

_WAITING = """
import sys, time
from pathlib import Path
from hack.node.cluster import NodeCluster
with NodeCluster(Path(sys.argv[1])) as cluster:
    print("up", flush=True)
    time.sleep(600)
"""
# Where programs of a node would write if it had no folders of its own there.
_WATCHED = ("/run", "/run/netns", "/var/lib", "/var/lib/cni", "/var/log")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Nothing of it is there before; whatever a test leaves is ended."""
    yield tmp_path / "node"
    NodeCluster(tmp_path / "node").stop()


def _traces(folder: Path, name: str) -> set[str]:
    """All that the machine has of a cluster: its processes, mounts, addresses, links, cgroups and namespaces."""
    found = {f"process {line}" for line in _said("ps", "-ewwo", "args").splitlines() if str(folder) in line}
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    found |= {f"mount {line}" for line in mounts if str(folder) in line}
    found |= {f"link {line}" for line in _said("ip", "-brief", "address").splitlines() if line.startswith(f"{name}@")}
    found |= {f"cgroup {each}" for root in Path("/sys/fs/cgroup").iterdir() for each in root.glob(f"{name}/*")}
    return found


def _kept() -> dict[str, list[str]]:
    """What lies in the folders that a node's programs know, and the rules of the machine's own network."""
    files = {path: sorted(each.name for each in Path(path).iterdir()) for path in _WATCHED if Path(path).is_dir()}
    # Another cluster may come or go meanwhile: its routes are its own.
    routes = [line for line in _said("ip", "route").splitlines() if " dev aiop-" not in line]
    return files | {"namespaces": _said("ip", "netns").splitlines(), "routes": routes}


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _run_a_pod(cluster: NodeCluster, image: str) -> None:
    kubectl = Kubectl(cluster.kubeconfig)
    eventually(lambda: kubectl.run("get", "serviceaccount", "default").returncode == 0)
    # It does not end when it is asked to.
    stubborn = "trap '' TERM; while true; do sleep 1; done"
    kubectl.apply(restricted_pod("stubborn", image, "sh", "-c", stubborn))
    kubectl("wait", "--for=condition=Ready", "pod/stubborn", "--timeout=60s")


def test_a_cluster_with_a_pod_leaves_nothing_when_it_is_stopped(folder: Path, busybox: str) -> None:
    before = _kept()
    with NodeCluster(folder) as cluster:
        name = cluster.node_name
        _run_a_pod(cluster, busybox)
        kinds = {trace.split()[0] for trace in _traces(folder, name)}
        assert kinds == {"process", "link", "cgroup"}  # its mounts are in a namespace of its own
    assert _traces(folder, name) == set()
    assert _kept() == before
    assert {path.name for path in folder.iterdir()} == {"logs", "plane"}
    assert {path.suffix for path in (folder / "plane").iterdir()} == {".log"}


def test_nothing_runs_on_when_the_process_that_holds_a_cluster_is_killed(folder: Path, busybox: str) -> None:
    before = _kept()
    command = [sys.executable, "-c", _WAITING, str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "up\n"
            cluster = NodeCluster(folder)
            name = cluster.node_name
            _run_a_pod(cluster, busybox)
            pid = cluster.container_pid("default", "stubborn")
        finally:
            holder.send_signal(signal.SIGKILL)
    eventually(lambda: not cluster.running)
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    eventually(lambda: all(trace.startswith("cgroup") for trace in _traces(folder, name)))
    # Cgroups and files have no owner that could end; whoever stops what was killed takes them away.
    cluster.stop()
    assert _traces(folder, name) == set()
    assert _kept() == before


def test_two_clusters_run_side_by_side_and_one_outlives_the_other(folder: Path, node: NodeCluster) -> None:
    with NodeCluster(folder) as other:
        assert other.node_name != node.node_name
        assert other.address != node.address
        Kubectl(other.kubeconfig)("get", "nodes")
    node.check()
    Kubectl(node.kubeconfig)("get", "nodes")


def test_make_cluster_runs_in_the_background_until_make_cluster_down(folder: Path) -> None:
    def asked(verb: str) -> str:
        command = [sys.executable, "-m", "hack.node", verb]
        environment = {**os.environ, "AIOP_NODE_FOLDER": str(folder)}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = _kept()
    assert f"export KUBECONFIG={folder}/plane/kubeconfig" in asked("up")
    name = NodeCluster(folder).node_name
    assert "starting" not in asked("up")  # it runs already
    assert Kubectl(folder / "plane" / "kubeconfig")("get", "nodes", "-o", "name") == f"node/{name}\n"
    assert "nothing is left" in asked("down")
    assert _traces(folder, name) == set()
    assert _kept() == before
    assert not folder.exists()
    assert "nothing is left" in asked("down")  # and again does no harm
