"""Somebody changes a workload's path, again and again: the Ingress follows, a write that only a leader makes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.controlplane import Cluster
from support.rest import Rest


@contextmanager
def changes(kubeconfig: Path, namespace: str, name: str, *, every: float) -> Iterator[list[str]]:
    """Paths as they were set, one each ``every`` seconds, from entering until leaving; fails if one was refused."""
    over, faults, made = threading.Event(), list[Exception](), list[str]()
    began = time.monotonic()

    def change() -> None:
        path = f"/apis/geartickler.com/v1alpha1/namespaces/{namespace}/aiworkloads/{name}"
        with Rest(Cluster(kubeconfig)) as rest:
            while not over.wait(max(0.0, began + (len(made) + len(faults) + 1) * every - time.monotonic())):
                try:
                    endpoint = f"/v{len(made) + len(faults) + 1}"
                    rest.merge(path, {"spec": {"inferenceEndpoint": endpoint}})
                    made.append(endpoint)
                except (AssertionError, OSError) as error:
                    faults.append(error)

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()
    assert faults == []
