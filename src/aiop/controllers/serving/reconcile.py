"""Reads the caches, asks the plan, does it, and says once how things are. No decision is made here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import structlog

from aiop.api.resources import AIWORKLOADS
from aiop.controllers.serving.announcements import announcements
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.metrics import DELETED, REFUSED, ServingMetrics
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.pacing import StatusPacer
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.refusals import REFUSALS, refusal_of
from aiop.controllers.serving.report import Report, make_report
from aiop.controllers.serving.resize.execution import ResizeExecutor, ResizeOutcome
from aiop.controllers.serving.resize.resizer import Resizer
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.sources import Sources
from aiop.controllers.serving.specs import SpecCache
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import CONTROLLERREVISIONS
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import Child, ChildWriter, Outcome, Owner
from aiop.runtime.controller.controller import Result
from aiop.runtime.kit.clock import Clock
from aiop.runtime.views.custom import CustomObject

log = structlog.get_logger(__name__)

# A stranger's object, a full quota or a ban may go without any event of ours; an own object that leaves usually tells.
_HINDERED_SECONDS = 60.0
_WAITING_SECONDS = 5.0


@dataclass(slots=True)
class _Done:
    """What became of a plan: the outcome by child, and the refusal that ended it."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    refusal: NotAccepted | ChildRefused | None = None
    held_up: bool = False  # the next step must wait
    resized: list[ResizeOutcome] = field(default_factory=list)  # of what makes servers, then of servers

    @property
    def incomplete(self) -> bool:
        """True if a child is not there that should be."""
        return self.refusal is not None or Outcome.WAITING in self.outcomes.values()

    @property
    def conflicts(self) -> list[str]:
        """The children whose names are a stranger's."""
        return [name for name, outcome in self.outcomes.items() if outcome is Outcome.FOREIGN]

    @property
    def wrote(self) -> bool:
        """True if anything was written."""
        return any(each.wrote for each in self.resized) or any(
            outcome in {Outcome.CREATED, Outcome.CHANGED} for outcome in self.outcomes.values()
        )

    def add(self, resized: ResizeOutcome) -> None:
        """Count in what became of new amounts."""
        self.resized.append(resized)
        self.refusal = self.refusal or resized.refusal


class ServingReconciler:
    """Reconciles AIWorkloads."""

    def __init__(
        self,
        sources: Sources,
        writers: Mapping[Resource, ChildWriter],
        status: StatusWriter,
        events: EventRecorder,
        settings: ServingSettings,
        clock: Clock,
        metrics: ServingMetrics,
        resizer: Resizer,
        specs: SpecCache | None = None,
    ) -> None:
        self._metrics = metrics
        self._sources = sources
        self._writers = writers
        self._status = status
        self._events = events
        self._settings = settings
        self._clock = clock
        self._specs = specs or SpecCache()
        self._resizing = ResizeExecutor(resizer)
        self._pacer = StatusPacer()

    async def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one workload."""
        workload = self._sources.workloads.store.get(key)
        if workload is None or workload.metadata.deletion_timestamp:
            return Result()  # its children have it as their owner: the garbage collector takes them
        observed = self._observe(workload)
        plan = make_plan(observed, self._specs, self._settings, self._clock.now())
        done = await self._execute(plan, workload)
        if done.wrote:
            observed = self._observe(workload)  # own writes show at once
        report = make_report(observed, plan, Hindrance(tuple(done.conflicts), done.refusal), self._clock.now())
        wait = await self._say(observed, report)
        return Result(_soonest(wait, report.look_again, done, plan))

    def forget(self, uid: str) -> None:
        """The workload with that UID is gone."""
        self._specs.forget(uid)
        self._pacer.forget(uid)
        self._resizing.forget(uid)

    def _observe(self, workload: CustomObject) -> Observed:
        observed = self._sources.observe(workload, self._specs)
        words = self._resizing.refusal(workload.metadata)
        return replace(observed, resize_refusal=words) if words else observed

    async def _execute(self, plan: Plan, workload: CustomObject) -> _Done:
        """Do the plan, step by step; a step that is held up holds up the next. Nothing goes before all is there."""
        done, meta = _Done(), workload.metadata
        await self._take(plan, _owner(workload), done)
        # Whatever else is held up: a Deployment is paused until its ReplicaSet has followed.
        done.add(await self._resizing.follow(meta, plan.templates, self._clock.monotonic()))
        if done.held_up:
            return done
        if plan.resize is not None and not done.resized[-1].final:
            done.add(await self._resizing.resize(meta, plan.resize))
        if done.incomplete:
            return done
        for deletion in plan.deletions:
            await self._writers[deletion.resource].delete(deletion.key, deletion.uid)
            self._metrics.child(deletion.resource.kind, DELETED)
        return done

    async def _take(self, plan: Plan, owner: Owner, done: _Done) -> None:
        for step in plan.steps:
            for child in step:
                made = await self._ensure(child, owner, done)
                done.held_up |= not made and child.resource not in plan.apart
            if done.held_up:
                return

    async def _ensure(self, child: Child, owner: Owner, done: _Done) -> bool:
        """False if it has to be tried again."""
        try:
            outcome = await self._writers[child.resource].ensure(child, owner)
        except REFUSALS as error:
            log.info("child refused", kind=child.resource.kind, child=child.key.name, error=str(error)[:1000])
            done.refusal = done.refusal or refusal_of(child, error)
            self._metrics.child(child.resource.kind, REFUSED)
            return False
        self._metrics.child(child.resource.kind, outcome.value)
        done.outcomes[f"{child.resource.kind} {child.key.name}"] = outcome
        if outcome is Outcome.FOREIGN and child.resource == CONTROLLERREVISIONS:
            # A revision that is not on record must not get pods: nobody would know what they are.
            done.refusal = done.refusal or ChildRefused(
                "NameConflict", f"the ControllerRevision {child.key.name!r} is not ours"
            )
            return False
        return outcome is not Outcome.WAITING

    async def _say(self, observed: Observed, report: Report) -> float:
        """Write the status if it changed and it is time; the seconds until it will be time (0: nothing to wait for)."""
        workload = observed.workload
        uid = workload.metadata.uid
        if msgspec.json.decode(workload.status) == msgspec.json.decode(report.status):
            return 0.0
        now = self._clock.monotonic()
        wait = self._pacer.delay(uid, report.before, report.after, now, only_readings=report.only_readings)
        if wait > 0:
            return wait
        try:
            data = await self._status.write(workload.metadata, workload.status, report.status)
        except (Conflict, NotFound):
            log.info("status not written: the object changed meanwhile, is gone, or another has its name")
            return 0.0
        if data is not None:
            self._sources.workloads.written(data)
            self._pacer.wrote(uid, now)
        self._tell(workload, report)
        return 0.0

    def _tell(self, workload: CustomObject, report: Report) -> None:
        self._metrics.told(report.before, report.after)
        meta = workload.metadata
        about = ObjectReference(AIWORKLOADS.api_version, AIWORKLOADS.kind, meta.namespace, meta.name, meta.uid)
        for each in announcements(report.before, report.after):
            self._events.record(about, each.event_type, each.reason, each.note, "Reconcile")


def _owner(workload: CustomObject) -> Owner:
    return Owner(AIWORKLOADS.api_version, AIWORKLOADS.kind, workload.metadata.name, workload.metadata.uid)


def _soonest(wait: float, look_again: float | None, done: _Done, plan: Plan) -> float | None:
    waits = [wait] if wait > 0 else []
    if look_again is not None:
        waits.append(look_again)
    if plan.rollout is not None and plan.rollout.look_again is not None:
        waits.append(plan.rollout.look_again)
    if plan.resize is not None and plan.resize.look_again is not None:
        waits.append(plan.resize.look_again)
    waits += [each.look_again for each in done.resized if each.look_again is not None]
    if Outcome.WAITING in done.outcomes.values():
        waits.append(_WAITING_SECONDS)
    if done.conflicts or done.refusal is not None:
        waits.append(_HINDERED_SECONDS)
    return min(waits, default=None)
