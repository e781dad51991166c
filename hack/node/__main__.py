"""`make cluster` and `make cluster-down`: a cluster of one real node in the background, and its end.

`python -m hack.node up` returns once it is ready; `python -m hack.node down` ends it, and whatever is left of it.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hack.cache import cache_folder
from hack.debian import DebianMissing
from hack.golang import BuildFailed
from hack.images.errors import ImageNotMade
from hack.node import machine
from hack.node.cluster import NodeCluster
from hack.node.errors import NodeFailed
from hack.node.manifests import GATEWAY, GATEWAY_NAMESPACE
from hack.node.namespace import REPOSITORY

_FOLDER = "AIOP_NODE_FOLDER"
# What a shell says of a program that Ctrl-C ended.
_INTERRUPTED = 130


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="hack.node", description=__doc__)
    parser.add_argument("verb", choices=("up", "down"))
    verb = parser.parse_args().verb
    folder = Path(os.environ.get(_FOLDER) or cache_folder() / "node" / "cluster").resolve()
    try:
        machine.insist_on_root()
        with _alone(folder):
            _up(folder) if verb == "up" else _down(folder)
    except KeyboardInterrupt:
        return _INTERRUPTED
    # OSError: a disk is full, or a folder may not be written to; the system's words name it.
    except (NodeFailed, BuildFailed, DebianMissing, ImageNotMade, subprocess.SubprocessError, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else starts or ends a cluster in the folder meanwhile; whoever is killed gives way."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = os.open(folder.parent, os.O_RDONLY)  # which stays, unlike the folder; no file is left to lie about
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another `make cluster` or `make cluster-down` is at work; waiting for it", flush=True)
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _up(folder: Path) -> None:
    cluster = NodeCluster(folder)
    if not cluster.attach():
        print("starting a cluster of one node; its programs are built and fetched once", flush=True)
        cluster.start(detached=True)
    print(f"""The cluster runs in the background.

  export KUBECONFIG={cluster.kubeconfig}
  {_kubectl()} get nodes

Ingresses (class traefik) and HTTPRoutes (Gateway {GATEWAY_NAMESPACE}/{GATEWAY}) answer at {cluster.traffic_url}.
Logs lie in {cluster.folder}/logs and {cluster.folder}/plane.
`make cluster-down` ends it and leaves nothing.""")


def _kubectl() -> str:
    """What the reader's shell finds it by; the project has one of its own."""
    if shutil.which("kubectl"):
        return "kubectl"
    own = Path(sys.executable).with_name("kubectl")
    return str(own.relative_to(REPOSITORY) if own.is_relative_to(REPOSITORY) else own)


def _down(folder: Path) -> None:
    cluster = NodeCluster(folder)
    cluster.stop()
    cluster.remove_logs()
    print("no cluster runs; nothing is left of it")


if __name__ == "__main__":
    sys.exit(main())
