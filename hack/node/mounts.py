"""The node's own view of the file system: the machine's, but for the folders that its programs insist to write to.

It ends with the node's namespaces: nothing is to be unmounted, and no file stays behind in /run or /var.
"""

import subprocess

from hack.node.place import Place

# Places that CNI's plugins, containerd's shims and kubelet have built in; each is a folder of the node's instead.
_REPLACED = ("/run", "/var/lib", "/var/log")


def set_up(place: Place) -> None:
    """Take the node's own folders in place of the machine's."""
    # What is mounted for a volume is to be seen in the pods, as it is on a machine of systemd's.
    _mount("--make-rshared", "/")
    for path in _REPLACED:
        own = place.state / path.strip("/").replace("/", "-")
        own.mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(own), path)


def hides(place: Place) -> str:
    """The folder that the node would not see, if its own lies there; empty if all is well."""
    return next((path for path in _REPLACED if place.folder.is_relative_to(path)), "")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
