"""The texts of a container, from what its pod says and what is of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiop.sim.processes.expansion import expanded
from aiop.sim.processes.mounts import Mounts

# Stands for a variable of this machine while paths are replaced; no API text holds it.
_MARK = "\x00"


@dataclass(frozen=True, slots=True)
class Wording:
    """``said`` are the variables that the pod sets, ``local`` those of this machine and of the program's table entry.

    Only what the pod says has its mounted paths replaced: a program of ours that happens to lie below a path which the
    pod mounts, as ``/tmp``, is where it is.
    """

    said: Mapping[str, str]
    local: Mapping[str, str]
    mounts: Mounts

    @property
    def environment(self) -> dict[str, str]:
        """All variables; the pod's own go first."""
        own = {name: expanded(value, self.local) for name, value in self.local.items()}
        return own | {name: self.mounts.rewritten(value) for name, value in self.said.items()}

    def of_pod(self, text: str) -> str:
        """A text of the pod's: expanded, and its paths replaced."""
        marked = {name: f"{_MARK}{name}{_MARK}" for name in self.local}
        words = self.mounts.rewritten(expanded(text, self.said, marked))
        for name, value in self.environment.items():
            words = words.replace(f"{_MARK}{name}{_MARK}", value)
        return words

    def of_program(self, text: str) -> str:
        """A text of the table's: expanded."""
        return expanded(text, self.environment)
