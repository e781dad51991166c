"""Fixtures that more than one suite needs."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.blocking import _blocking_calls_raise, _no_blocking_call
from support.controlplane import Cluster, real_cluster
from support.ownprocess import pytest_pyfunc_call

__all__ = ["_blocking_calls_raise", "_no_blocking_call", "cluster", "pytest_pyfunc_call"]

# A deadline for each example would fail tests for nothing but a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real control plane, one a session."""
    with real_cluster(tmp_path_factory.mktemp("controlplane")) as running:
        yield running
