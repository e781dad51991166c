"""One shard of an operator: it seeks the shard's lease, and whenever it holds it, it works for a term."""

import asyncio
from collections.abc import Callable

import structlog

from aiop.runtime.controller.controller import Controller
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.leaderelection.elector import Elector
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from aiop.runtime.manager.leadership import Election, Leadership
from aiop.runtime.manager.parts import Runnable, race, set_event
from aiop.runtime.manager.term import Preparation, Term

log = structlog.get_logger(__name__)

# How long a worker may take to let go after the lease is lost, before the process ends rather than risk two leaders.
_LOSS_SECONDS = 10.0


class Candidacy:
    """`campaign` as a task once the caches are warm; whatever comes of that, `drain` and then `let_go`.

    Shards know nothing of each other: one that loses its lease ends its own term only. Without a ``leadership`` this
    shard is led by nobody else, and its one term begins with the campaign. ``leads(lease, leading)`` counts changes.
    """

    def __init__(
        self,
        clock: Clock,
        leadership: Leadership | None,
        *,
        elect: Callable[..., Election] = ElectionThread,
        leads: Callable[[str, bool], None],
    ) -> None:
        self.controllers: list[Controller] = []
        self.runnables: list[Runnable] = []
        self.preparations: list[Preparation] = []
        self._clock = clock
        self._leadership = leadership
        self._elect = elect
        self._leads = leads
        self._leading = asyncio.Event()
        self._lost = asyncio.Event()
        self._election: Election | None = None
        self._term: Term | None = None
        if leadership is not None:
            leads(leadership.lease.name, False)

    @property
    def leading(self) -> bool:
        """True from when this process is told that it leads until it is told that it does not."""
        return self._leading.is_set()

    async def campaign(self, heartbeat: Heartbeat) -> None:
        """Seek the lease and lead whenever it is held, for ever.

        Raises TaskDied if the election or a part ends by itself, what a preparation raises, and WorkerDidNotStop if
        the lease is lost and a worker goes on. Cancelling it leaves a running term running.
        """
        if self._leadership is None:
            self._leading.set()
            await self._terms()
            return
        for controller in self.controllers:
            controller.stop_taking()  # a standby's queues would only grow
        self._election = self._new_election(self._leadership, heartbeat)
        self._election.start()
        await race(self._terms(), self._outlive(self._election, self._leadership))

    async def drain(self, seconds: float, grace: float) -> None:
        """End the term, if one runs: passes may take ``seconds`` to end, and ``grace`` when cancelled after that.

        Raises WorkerDidNotStop; then `let_go` keeps the lease.
        """
        if self._term is not None:
            await self._term.drain(seconds, grace, self._lost)
            self._term = None

    async def let_go(self) -> None:
        """End the election; the lease is released only if no worker is left that could write."""
        if self._election is not None:
            await self._election.stop(release=self._term is None)

    def _new_election(self, leadership: Leadership, heartbeat: Heartbeat) -> Election:
        loop = asyncio.get_running_loop()

        def changed(leading: bool) -> None:
            loop.call_soon_threadsafe(self._lead_changed, leadership.lease.name, leading)

        return self._elect(
            Elector(leadership.identity, leadership.times, pod=leadership.pod),
            leadership.lease,
            leadership.connect,
            clock=self._clock,
            gate=leadership.gate,
            heartbeat=heartbeat,
            changed=changed,
            shard=leadership.shard.index,
        )

    def _lead_changed(self, lease: str, leading: bool) -> None:
        self._leads(lease, leading)
        if leading:
            self._leading.set()
        else:
            self._leading.clear()
            self._lost.set()

    @staticmethod
    async def _outlive(election: Election, leadership: Leadership) -> None:
        """Without its election this shard would stand by for ever; raises TaskDied."""
        died = TaskDied(f"the leader election for {leadership.lease} ended")
        try:
            await election.wait()
        except Exception as error:  # whatever it died of
            raise died from error
        raise died

    async def _terms(self) -> None:
        while True:
            await self._leading.wait()
            self._lost.clear()
            if self._leading.is_set():  # else it was lost again before this task could run
                await self._lead()

    async def _lead(self) -> None:
        """One term; returns once the lease is lost and every worker has ended."""
        self._term = Term(
            self._clock,
            controllers=self.controllers,
            runnables=self.runnables,
            preparations=self.preparations,
        )
        await race(set_event(self._lost), self._term.run())
        await self._term.cancel(_LOSS_SECONDS)
        self._term = None
