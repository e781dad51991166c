"""containerd as the node's container runtime: its settings, and the image that holds a pod's namespaces."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from hack.debian import download, unpack
from hack.node.place import Place

PAUSE = "docker.io/local/pause:1"

_SETTINGS = """
version = 2
root = "{state}/containerd"
state = "{state}/containerd.run"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE no process may lower its score; every sandbox would fail.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{state}/plugins"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def write_settings(place: Place, plugins: Path) -> Path:
    """The settings file of containerd."""
    path = place.state / "containerd.toml"
    words = {"state": place.state, "socket": place.containerd, "plugins": plugins, "pause": PAUSE}
    path.write_text(_SETTINGS.format(snapshotter="overlayfs", **words))
    return path


def write_pause_image(folder: Path) -> Path:
    """The archive of an image that does nothing until it is told to end."""
    (package,) = download(["busybox-static"])
    unpack([package], folder / "busybox")
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        files.add(folder / "busybox" / "usr" / "bin" / "busybox", "busybox")
    return _archive(folder / "pause.tar", layer.getvalue(), ["/busybox", "sleep", "2147483647"])


def _archive(path: Path, layer: bytes, entrypoint: list[str]) -> Path:
    """An OCI archive of one layer."""
    blobs: list[bytes] = []

    def described(kind: str, content: bytes) -> dict[str, object]:
        blobs.append(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(content)}

    contents = described("layer.v1.tar", layer)
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": entrypoint},
        "rootfs": {"type": "layers", "diff_ids": [contents["digest"]]},
    }
    config = described("config.v1+json", json.dumps(settings).encode())
    manifest = {"schemaVersion": 2, "config": config, "layers": [contents]}
    image = described("manifest.v1+json", json.dumps(manifest).encode())
    image["annotations"] = {"io.containerd.image.name": PAUSE, "org.opencontainers.image.ref.name": PAUSE}
    with tarfile.open(path, "w") as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [image]}).encode())
        for blob in blobs:
            _add(archive, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
    return path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
