"""Models on a real node: a claim with files in it, the servers' images, and requests through Traefik."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.kubectl import Kubectl
from support.workloads import models_claim, models_volume

# The Gateway of the node that admits routes of every namespace.
GATEWAY = {"name": "public", "namespace": "gateways"}


class Models:
    """The claim `models` of a namespace, whose files are those of a folder of this machine."""

    def __init__(self, admin: Kubectl, team: Kubectl, folder: Path) -> None:
        self._admin, self._folder = admin, folder
        self._volume = f"models-{team.namespace}"
        volume = models_volume(self._volume, team.namespace)
        volume["spec"]["hostPath"] = {"path": str(folder)}
        admin.apply(volume)
        team.apply(models_claim())

    def put(self, source: Path, place: str) -> None:
        """Copy a folder's files to ``place`` in the claim, readable to all, as a team's storage is."""
        target = self._folder / place
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(source, target)
        for path in (self._folder, *self._folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def close(self) -> None:
        """Take the volume away; its claim goes with the namespace."""
        self._admin("delete", "persistentvolume", self._volume, "--wait=false")


def load_image(node: NodeCluster, name: str) -> str:
    """Its reference, once the node has it."""
    image = ensure_image(name)
    node.load(image.archive)
    return image.reference


def ask(node: NodeCluster, host: str, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    """Status and text of the answer that Traefik gives from outside; 0 and the error if there is none."""
    headers = {"Host": host, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{node.traffic_url}{path}", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http, the node's own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def prediction(answer: tuple[int, str]) -> list[float] | None:
    """The numbers of the first output of an answer of V2 inference; none of any other answer."""
    status, text = answer
    return list(json.loads(text)["outputs"][0]["data"]) if status == 200 else None
