"""What the API server refused of a workload's new amounts, for as long as its spec stays the same. No I/O.

Kept in memory: another process asks once more, and is told the same.
"""

from aiop.runtime.views.meta import ObjectMeta

# Seconds. A webhook that restarts is back by then, and for no longer is a Deployment left paused.
PASSING = 120.0


class ResizeRefusals:
    """By workload: why it has to get new servers, and since when what makes its servers could not be changed."""

    def __init__(self) -> None:
        self._final: dict[str, tuple[int, str]] = {}
        self._since: dict[str, float] = {}

    def final(self, workload: ObjectMeta) -> str:
        """Why servers of this generation of the workload cannot be changed while they run; empty if they can."""
        generation, words = self._final.get(workload.uid, (0, ""))
        return words if generation == workload.generation else ""

    def refuse(self, workload: ObjectMeta, words: str) -> None:
        """It will not be asked again for this generation."""
        self._final[workload.uid] = (workload.generation, words)

    def put_off(self, workload: ObjectMeta, words: str, now: float) -> None:
        """What makes the servers could not be changed this time, at a monotonic ``now``; after PASSING it is final."""
        if now - self._since.setdefault(workload.uid, now) >= PASSING:
            self.refuse(workload, words)

    def passed(self, workload: ObjectMeta) -> None:
        """What makes the servers could be changed."""
        self._since.pop(workload.uid, None)

    def forget(self, uid: str) -> None:
        """The workload with that UID is gone."""
        self._final.pop(uid, None)
        self._since.pop(uid, None)
