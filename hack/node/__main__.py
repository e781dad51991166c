"""`make cluster` and `make cluster-down`: a cluster of one real node in the background, and its end.

`python -m hack.node up` returns once it is ready; `python -m hack.node down` ends it, and whatever is left of it.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from hack.controlplane.build import BuildFailed, cache_folder
from hack.debian import DebianMissing
from hack.node.cluster import NodeCluster
from hack.node.errors import NodeFailed
from hack.node.manifests import GATEWAY, GATEWAY_NAMESPACE

_FOLDER = "AIOP_NODE_FOLDER"


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="hack.node", description=__doc__)
    parser.add_argument("verb", choices=("up", "down"))
    verb = parser.parse_args().verb
    folder = Path(os.environ.get(_FOLDER) or cache_folder() / "node" / "cluster")
    try:
        _up(folder) if verb == "up" else _down(folder)
    except (NodeFailed, BuildFailed, DebianMissing) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _up(folder: Path) -> None:
    cluster = NodeCluster(folder)
    if not cluster.attach():
        print("starting a cluster of one node; its programs are built and fetched once", flush=True)
        cluster.start(detached=True)
    print(f"""The cluster runs in the background.

  export KUBECONFIG={cluster.kubeconfig}
  kubectl get nodes

Ingresses (class traefik) and HTTPRoutes (Gateway {GATEWAY_NAMESPACE}/{GATEWAY}) answer at {cluster.traffic_url}.
Logs lie in {cluster.folder}/logs and {cluster.folder}/plane.
`make cluster-down` ends it and leaves nothing.""")


def _down(folder: Path) -> None:
    NodeCluster(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)
    print("no cluster runs; nothing is left of it")


if __name__ == "__main__":
    sys.exit(main())
