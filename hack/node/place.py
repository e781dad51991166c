"""Where a node lives: its folder, names and addresses, kept in a record so that another process finds them again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

# What the names of all nodes begin with.
PREFIX = "aiop-"
_RECORD = "node.json"


@dataclass(frozen=True, slots=True)
class Place:
    """``number`` is the machine's next free one: several nodes share nothing but the programs."""

    folder: Path
    number: int

    @property
    def name(self) -> str:
        """Of the node, its cgroup and its end of the cable on the machine."""
        return f"{PREFIX}{self.number}"

    @property
    def address(self) -> str:
        """The node's address; the machine's own end of the cable is `gateway`."""
        return f"10.201.{self.number}.2"

    @property
    def gateway(self) -> str:
        """The machine's end of the cable."""
        return f"10.201.{self.number}.1"

    @property
    def plane(self) -> Path:
        """The control plane's folder."""
        return self.folder / "plane"

    @property
    def state(self) -> Path:
        """What containerd and kubelet keep; gone with the node."""
        return self.folder / "state"

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self.folder / "logs"

    @property
    def programs(self) -> Path:
        """A record of the programs that it runs."""
        return self.state / "programs.json"

    @property
    def control(self) -> Path:
        """The socket by which the node is told what to do."""
        return self.folder / "control"

    @property
    def containerd(self) -> Path:
        """The socket of containerd."""
        return self.state / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig, good inside the node's namespaces and outside."""
        return self.plane / "kubeconfig"

    def write(self) -> None:
        """Remember it in its folder."""
        record = asdict(self) | {"folder": str(self.folder)}
        (self.folder / _RECORD).write_text(json.dumps(record))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The place that a folder remembers, if it does."""
        try:
            record = json.loads((folder / _RECORD).read_text())
        except (OSError, ValueError):
            return None
        return cls(folder, record["number"])

    def forget(self) -> None:
        """Remember it no more."""
        (self.folder / _RECORD).unlink(missing_ok=True)
