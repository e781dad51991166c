"""A small operator behind a proxy that brings bad days, on the real API server."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.controlplane.launch import ControlPlane
from support.controlplane import Cluster
from support.faultyproxy import FaultyProxy
from support.operator import running
from support.rest import Rest
from support.storms import QUICK_LEASE, Sea, SmallOperator, install

_numbers = itertools.count(1)
# With what was answered: its versions are the order of writes.
AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete, deletecollection]
- level: None
"""


@pytest.fixture(scope="session")
def rest(cluster: Cluster) -> Iterator[Rest]:
    """An administrator's calls; the small kind is served."""
    with Rest(cluster) as calls:
        install(calls)
        yield calls


@pytest.fixture
def sea(cluster: Cluster, rest: Rest) -> Iterator[Sea]:
    """A namespace of the test's own."""
    name = f"sea-{next(_numbers)}"
    rest.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield Sea(cluster, rest, name)
    rest.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def proxy(cluster: Cluster, tmp_path: Path) -> Iterator[FaultyProxy]:
    with FaultyProxy(cluster, tmp_path / "proxy") as running:
        yield running


@pytest.fixture
def operator(sea: Sea, proxy: FaultyProxy, tmp_path: Path) -> Iterator[SmallOperator]:
    """The operator behind the proxy, not started yet; it ends well by itself, whatever it went through."""
    options = ["--namespace", sea.namespace, "--lease", f"{sea.namespace}/operator", "--lease-times", QUICK_LEASE]
    with running(SmallOperator(proxy.kubeconfig(sea.token()), tmp_path / "log", *options)) as made:
        yield made


@pytest.fixture
def own_sea(tmp_path: Path) -> Iterator[Sea]:
    """On a control plane of the test's own, to be ill-treated."""
    with ControlPlane(tmp_path / "plane", audit_policy=AUDIT_POLICY) as plane:
        cluster = Cluster(plane.kubeconfig, plane)
        with Rest(cluster) as calls:
            install(calls)
            calls.create("/api/v1/namespaces", {"metadata": {"name": "sea"}})
            yield Sea(cluster, calls, "sea")
