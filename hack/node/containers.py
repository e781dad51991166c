"""The settings of containerd, the node's container runtime."""

from pathlib import Path

from hack.node import filesystem
from hack.node.place import Place
from hack.node.programs import Programs

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
  sandbox_image = "{sandbox}"
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


def write_settings(place: Place, programs: Programs) -> Path:
    """The settings file of containerd."""
    path = place.state / "containerd.toml"
    settings = _SETTINGS.format(
        state=place.state,
        socket=place.containerd,
        plugins=programs.plugins,
        sandbox=programs.sandbox.reference,
        snapshotter=filesystem.snapshotter(place.state),
    )
    path.write_text(settings)
    return path
