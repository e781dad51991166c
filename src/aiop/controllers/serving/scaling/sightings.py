"""What is known of the GPU metric of each workload: put in after one good look, taken out after several bad ones.

One good look is enough because an autoscaler that can read a metric once will, most likely, read it again; waiting
would only leave a workload unscaled. Taking it out is another matter: adapters and what feeds them restart, and an
aggregated API that is away for a minute must not make every autoscaler change twice. Meanwhile the autoscaler has a
metric that it cannot read. Then it still grows by the others and only does not shrink, which it would not do for the
five minutes of its own stabilisation anyhow. Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass

from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, Sight

# At 30 s between looks, and up to a fifth more, a minute holds three at most; four last for 90 to 108 seconds.
PATIENCE = 4


@dataclass(slots=True)
class _Known:
    served: Served
    misses: int = 0
    last: Sight = Sight.UNKNOWN
    repeated: int = 0


class Sightings:
    """By the workload's UID. What was seen of one metric says nothing of another."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def of(self, uid: str) -> Served:
        """What counts now."""
        known = self._known.get(uid)
        return known.served if known is not None else NOT_LOOKED

    def knows(self, uid: str, metric: str) -> bool:
        """True once somebody has looked."""
        return self.of(uid).metric == metric

    def see(self, uid: str, metric: str, sight: Sight) -> bool:
        """Somebody has looked; True if what counts has changed."""
        if not self.knows(uid, metric):
            self._known[uid] = _Known(Served(metric=metric))
        known = self._known[uid]
        before = known.served
        known.repeated = known.repeated + 1 if sight is known.last else 1
        known.last = sight
        known.misses = 0 if sight is Sight.SERVED else known.misses + 1
        known.served = _judged(known, metric)
        return known.served != before

    def keep(self, uids: Collection[str]) -> None:
        """Forget all others."""
        self._known = {uid: known for uid, known in self._known.items() if uid in uids}


def _judged(known: _Known, metric: str) -> Served:
    before, out = known.served, known.misses >= PATIENCE
    if known.last is Sight.SERVED:
        return Served(True, Sight.SERVED, metric)
    if before.served and not out:
        return before
    # A cause that was told stays until another one lasts, or words would change with every look.
    stale = before.sight in {Sight.UNKNOWN, Sight.SERVED} or known.repeated >= PATIENCE
    return Served(False if out else None, known.last if stale else before.sight, metric)
