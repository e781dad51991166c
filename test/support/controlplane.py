"""The real control plane for tests: one a session, or what the environment names."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hack.controlplane.launch import ControlPlane


@dataclass(frozen=True, slots=True)
class Cluster:
    """A real API server. ``plane`` is None if the caller named a cluster of their own."""

    kubeconfig: Path
    plane: ControlPlane | None = field(default=None)

    @property
    def credentials(self) -> tuple[str, str, str]:
        """URL, certificate authority file and token."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        return cluster["server"], cluster.get("certificate-authority", ""), user.get("token", "")

    def writes(self, user: str) -> list[dict[str, Any]]:
        """The audit log's successful writes by ``user``, in order."""
        assert self.plane is not None, "a cluster of the caller's own has no audit log here"
        lines = self.plane.audit_log.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.endswith("}")]
        return [
            event
            for event in events
            if event["user"]["username"] == user
            and event["stage"] == "ResponseComplete"
            and event["responseStatus"]["code"] < 300
        ]


@contextmanager
def real_cluster(folder: Path) -> Iterator[Cluster]:
    """Start it (or take $AIOP_TEST_KUBECONFIG, or the programs in $KUBEBUILDER_ASSETS) and stop it."""
    own = os.environ.get("AIOP_TEST_KUBECONFIG")
    if own:
        yield Cluster(Path(own))
        return
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    with ControlPlane(folder, binaries=Path(assets) if assets else None) as plane:
        yield Cluster(plane.kubeconfig, plane)


def with_token(kubeconfig: Path, target: Path, token: str) -> Path:
    """The same cluster, seen by the bearer of ``token``."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    target.write_text(json.dumps(config))
    target.chmod(0o600)
    return target
