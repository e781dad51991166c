"""When to write a status: the first at once, a flip of a condition almost so, mere progress at a person's pace.

What an autoscaler reads comes last of all: it never rests.
"""

from collections.abc import Sequence

from aiop.runtime.conditions.condition import Condition

# Flips come in company: the endpoints that make a workload Available make it Ready some 10 ms later, when the
# Deployment's own status follows. One write tells both.
FLIP_SECONDS = 0.2
# Slow enough that the pods of one rollout step come in one write, fast enough for a person who watches.
QUIET_SECONDS = 5.0
# How the model's files come is mere progress, whatever the condition's status: Ready tells what comes of it.
_UNHURRIED = frozenset({"ModelReady"})
# Why servers are replaced after all is of use to who sees it while that happens, which may take some seconds only.
_PRESSING = frozenset({"RestartNeeded"})
# Autoscalers read every 15 s, whatever happens. Whoever wants to follow the load has metrics; a status says the order
# of magnitude, and a thousand busy workloads may not cost the API server more than some 17 writes a second for it.
READINGS_SECONDS = 60.0


class StatusPacer:
    """Remembers when each object's status was last written, and since when a flip waits to be told."""

    def __init__(self) -> None:
        self._written: dict[str, float] = {}
        self._flipped: dict[str, float] = {}

    def delay(
        self,
        uid: str,
        before: Sequence[Condition],
        after: Sequence[Condition],
        now: float,
        *,
        only_readings: bool = False,
    ) -> float:
        """Seconds to wait before the write; 0 to write now.

        ``only_readings`` is true if nothing is new but what an autoscaler reads and says.
        """
        if not before:
            return 0.0
        if _verdicts(before) != _verdicts(after):
            return max(0.0, self._flipped.setdefault(uid, now) + FLIP_SECONDS - now)
        self._flipped.pop(uid, None)
        last = self._written.get(uid)
        pace = READINGS_SECONDS if only_readings else QUIET_SECONDS
        return 0.0 if last is None else max(0.0, last + pace - now)

    def wrote(self, uid: str, now: float) -> None:
        """The status was written."""
        self._written[uid] = now
        self._flipped.pop(uid, None)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._written.pop(uid, None)
        self._flipped.pop(uid, None)


def _verdicts(conditions: Sequence[Condition]) -> set[tuple[str, str, int, str]]:
    return {
        (each.type, each.status, each.observed_generation, each.reason if each.reason in _PRESSING else "")
        for each in conditions
        if each.type not in _UNHURRIED
    }
