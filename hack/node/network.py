"""The node's network, from inside: its address, the way to Services, and what pods are joined by.

Pods hang on cables of their own that the node routes between (the `ptp` plugin), so that no bridge filter of the
kernel is needed. There is no way out of the machine: the node has no default route.
"""

import json
import socket
import subprocess
import time
from pathlib import Path

from hack.node.errors import NodeFailed
from hack.node.place import Place

POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
_CABLE = "node"
_CABLE_SECONDS = 30.0


def set_up(place: Place) -> None:
    """Address, routes and forwarding; waits for the machine's end to plug the cable in."""
    deadline = time.monotonic() + _CABLE_SECONDS
    while _CABLE not in {name for _, name in socket.if_nameindex()}:
        if time.monotonic() > deadline:
            message = f"no cable to the machine after {_CABLE_SECONDS:.0f} s"
            raise NodeFailed(message)
        time.sleep(0.01)
    for command in (
        ("link", "set", "lo", "up"),
        ("address", "add", f"{place.address}/30", "dev", _CABLE),
        ("link", "set", _CABLE, "up"),
        # A Service's address is replaced on the way out; until then it needs a way.
        ("route", "add", SERVICE_NETWORK, "dev", _CABLE, "src", place.address),
    ):
        subprocess.run(["ip", *command], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def write_plugins(folder: Path, state: Path) -> None:
    """What containerd is told of the pods' network."""
    folder.mkdir(parents=True, exist_ok=True)
    ranges = [[{"subnet": POD_NETWORK}]]
    addresses = {
        "type": "host-local",
        "ranges": ranges,
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(state / "addresses"),
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": addresses},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    (folder / "pods.conflist").write_text(json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}))
