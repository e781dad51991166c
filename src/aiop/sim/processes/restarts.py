"""Whether and when a container that has ended is started again."""

from dataclasses import dataclass

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.podstatus import crash_delay

# A container that has run this long has left its troubles behind: twice the longest back-off, as with kubelets.
_FORGIVEN_SECONDS = 600.0


@dataclass(slots=True)
class RestartPolicy:
    """``policy`` is the pod's or the container's own; ``crashes`` counts the ends that the back-off remembers."""

    policy: str
    is_init: bool = False
    is_sidecar: bool = False
    crashes: int = 0

    @classmethod
    def of(cls, pod: Object, container: Object, *, is_init: bool) -> "RestartPolicy":
        """An init container that fails runs again unless nothing in the pod does; a sidecar always does."""
        own = container.get("restartPolicy")
        of_pod = pod["spec"].get("restartPolicy") or "Always"
        if is_init and own != "Always":
            return cls("Never" if of_pod == "Never" else "OnFailure", is_init=True)
        return cls(own or of_pod, is_init=is_init, is_sidecar=is_init)

    def restarts_after(self, code: int) -> bool:
        """True if an end with that exit code is followed by another run."""
        return self.policy == "Always" or (self.policy == "OnFailure" and code != 0)

    def ran_for(self, seconds: float) -> None:
        """A run has ended."""
        if seconds >= _FORGIVEN_SECONDS:
            self.crashes = 0

    def delay(self) -> int:
        """Seconds before the next run; none before the first restart."""
        return crash_delay(self.crashes)
