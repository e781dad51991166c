"""When to write a status: at once if a condition flips, else at most once a second, so that a burst is one write."""

from collections.abc import Sequence

from aiop.runtime.conditions.condition import Condition

# Slow enough that the pods of one rollout step come in one write, fast enough for a person who watches.
QUIET_SECONDS = 1.0


class StatusPacer:
    """Remembers when each object's status was last written."""

    def __init__(self) -> None:
        self._written: dict[str, float] = {}

    def delay(self, uid: str, before: Sequence[Condition], after: Sequence[Condition], now: float) -> float:
        """Seconds to wait before the write; 0 to write now."""
        if _verdicts(before) != _verdicts(after):
            return 0.0
        last = self._written.get(uid)
        return 0.0 if last is None else max(0.0, last + QUIET_SECONDS - now)

    def wrote(self, uid: str, now: float) -> None:
        """The status was written."""
        self._written[uid] = now

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._written.pop(uid, None)


def _verdicts(conditions: Sequence[Condition]) -> set[tuple[str, str, int]]:
    return {(each.type, each.status, each.observed_generation) for each in conditions}
