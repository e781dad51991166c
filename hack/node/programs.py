"""The programs that a node is made of: those on the PATH, else out of Debian's packages, unpacked into the cache.

Nothing is installed. What a program needs in order to be found and to run stands in `Programs.environment`.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from hack.cache import alone, cache_folder
from hack.controlplane.build import ensure_built
from hack.debian import download, unpack
from hack.environments import ensure_environment
from hack.images import Image, ensure_image
from hack.node.goprograms import ensure_go_program

# Program on the PATH → the packages that bring it where it is missing, with the libraries that a bare machine lacks.
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "containerd": ("containerd", "libseccomp2"),
    "runc": ("runc", "libseccomp2"),
    "ip": ("iproute2", "libbpf1", "libelf1", "libmnl0", "libbsd0", "libmd0", "libcap2", "libtirpc3"),
    "iptables": (
        *("iptables", "libip4tc2", "libip6tc2", "libxtables12", "libmnl0", "libnftnl11"),
        *("libnfnetlink0", "libnetfilter-conntrack3"),
    ),
}
_PLUGINS = "containernetworking-plugins"
_PLUGIN_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
# The package's alternatives are made by its installation, which does not happen here.
_TABLES = [f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore")]


@dataclass(frozen=True, slots=True)
class Programs:
    """Where each lies. ``sandbox`` is the image that holds a pod's namespaces; it only sleeps.

    ``environment`` has what must be set for them beside the caller's own.
    """

    kubernetes: Path
    coredns: Path
    metrics_server: Path
    traefik: Path
    plugins: Path
    sandbox: Image
    environment: Mapping[str, str]

    def write(self, path: Path) -> None:
        """For another process, which may see another PATH."""
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote."""
        found = json.loads(path.read_text())
        sandbox = found.pop("sandbox")
        return cls(
            environment=found.pop("environment"),
            sandbox=Image(sandbox["reference"], Path(sandbox["archive"])),
            **{name: Path(value) for name, value in found.items()},
        )


def ensure_programs() -> Programs:
    """All of them, building and fetching what is not there; raises BuildFailed, DebianMissing or ImageNotMade."""
    plugins = next((Path(folder) for folder in _PLUGIN_FOLDERS if (Path(folder) / "ptp").exists()), None)
    missing = [name for name in _PACKAGES if shutil.which(name, path=_search_path()) is None]
    packages = sorted({package for name in missing for package in _PACKAGES[name]} | (set() if plugins else {_PLUGINS}))
    root = _unpacked(packages) if packages else None
    return Programs(
        kubernetes=ensure_built(),
        coredns=ensure_go_program("coredns"),
        metrics_server=ensure_go_program("metrics-server"),
        traefik=ensure_environment("traefik").with_name("traefik"),
        plugins=plugins or _required(root) / "usr" / "lib" / "cni",
        sandbox=ensure_image("busybox"),
        environment=_environment(root),
    )


def _search_path() -> str:
    """The PATH with what an ordinary user's lacks."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _required(root: Path | None) -> Path:
    assert root is not None  # noqa: S101 - the packages of what is missing were unpacked
    return root


def _unpacked(packages: list[str]) -> Path:
    """The root of a tree with these packages; made once, whatever versions come later."""
    root = cache_folder() / "node" / "debian" / hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    with alone(root.parent):
        if not root.exists():
            with tempfile.TemporaryDirectory(dir=root.parent) as work:
                tree = Path(work) / "root"
                tree.mkdir()
                unpack(download(packages), tree)
                _link_tables(tree / "usr" / "sbin")
                tree.rename(root)  # atomic: the path exists only once all of it is there
    return root


def _link_tables(folder: Path) -> None:
    if (folder / "xtables-nft-multi").exists():
        for name in _TABLES:
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to("xtables-nft-multi")


def _environment(root: Path | None) -> Mapping[str, str]:
    if root is None:
        return {"PATH": _search_path()}
    libraries = [str(folder) for folder in sorted((root / "usr" / "lib").glob("*-linux-gnu*"))]
    tables = [f"{folder}/xtables" for folder in libraries if Path(folder, "xtables").exists()]
    found = {
        "PATH": os.pathsep.join([f"{root}/usr/bin", f"{root}/usr/sbin", _search_path()]),
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
    }
    return found | ({"XTABLES_LIBDIR": tables[0]} if tables else {})


if __name__ == "__main__":
    print(ensure_programs())
