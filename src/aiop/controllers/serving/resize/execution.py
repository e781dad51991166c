"""Does what a plan says of new amounts, and remembers what the API server will not have."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.plan import ResizePlan
from aiop.controllers.serving.resize.refusals import ResizeRefusals
from aiop.controllers.serving.resize.resizer import NotResizable, Resized, Resizer
from aiop.controllers.serving.resize.shape import TemplateResize
from aiop.runtime.views.meta import ObjectMeta

# The next lot of servers follows as soon as others' passes have had their turn: not "now", which backs off.
_NEXT_LOT_SECONDS = 0.01
# An object that was seen as it is no more usually tells by its watch.
_OVERTAKEN_SECONDS = 5.0


@dataclass(slots=True)
class ResizeOutcome:
    """``refusal`` is what will be tried again; ``final`` is true if it will not, and another plan is needed at once."""

    wrote: bool = False
    overtaken: bool = False
    refusal: ChildRefused | None = None
    final: bool = False
    more: bool = False  # servers are left that were not asked for want of turns

    @property
    def look_again(self) -> float | None:
        """Seconds after which there is more to do, though nothing has changed. A refusal is not counted in here."""
        if self.final:
            return 0.0
        if self.more and self.wrote and self.refusal is None:
            return _NEXT_LOT_SECONDS
        return _OVERTAKEN_SECONDS if self.overtaken else None


class ResizeExecutor:
    """Writes what makes servers first, then servers; one that is refused holds up the rest."""

    def __init__(self, resizer: Resizer) -> None:
        self._resizer = resizer
        self._refusals = ResizeRefusals()

    def refusal(self, workload: ObjectMeta) -> str:
        """Why servers of this generation of the workload cannot be changed while they run; empty if they can."""
        return self._refusals.final(workload)

    def forget(self, uid: str) -> None:
        """The workload with that UID is gone."""
        self._refusals.forget(uid)

    async def follow(self, workload: ObjectMeta, templates: Sequence[TemplateResize], now: float) -> ResizeOutcome:
        """Let ReplicaSets follow their Deployments, which are paused meanwhile: so this is not tried without end.

        ``now`` is monotonic.
        """
        outcome = ResizeOutcome()
        await self._write([partial(self._resizer.follow, each) for each in templates], workload, outcome)
        if outcome.refusal is not None:
            self._refusals.put_off(workload, outcome.refusal.message, now)
            outcome.final = bool(self.refusal(workload))
            outcome.refusal = None if outcome.final else outcome.refusal
        elif outcome.wrote:
            self._refusals.passed(workload)
        return outcome

    async def resize(self, workload: ObjectMeta, plan: ResizePlan) -> ResizeOutcome:
        """Give servers their new amounts."""
        outcome = ResizeOutcome(more=plan.more)
        await self._write([partial(self._resizer.resize, each) for each in plan.servers], workload, outcome)
        return outcome

    async def _write(
        self, writes: Sequence[Callable[[], Awaitable[Resized]]], workload: ObjectMeta, outcome: ResizeOutcome
    ) -> None:
        for write in writes:
            try:
                made = await write()
            except NotResizable as error:
                self._refusals.refuse(workload, str(error))
                outcome.final = True
                return
            except ChildRefused as refusal:
                outcome.refusal = refusal
                return
            outcome.wrote |= made is Resized.CHANGED
            outcome.overtaken |= made is Resized.OVERTAKEN
