"""The pass itself: what it writes, in which order, and what it says when it may not."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aiop.controllers.serving.metrics import ServingMetrics
from aiop.controllers.serving.names import FIELD_MANAGER
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.pacing import FLIP_SECONDS, QUIET_SECONDS, READINGS_SECONDS
from aiop.controllers.serving.reconcile import ServingReconciler
from aiop.controllers.serving.resize.plan import LOT
from aiop.controllers.serving.resize.resizer import NotResizable, Resizer
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.sources import OWNED, Sources
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    SERVICES,
)
from aiop.runtime.client.errors import ApiError, BadRequest, Cause, Conflict, Forbidden, Invalid, ServerError
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import Child, ChildWriter, Outcome, Owner
from aiop.runtime.controller.controller import Result
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Running
from support.clock import FakeClock
from support.resizeworld import ResizeWorld, WorldResizer
from support.servingworld import NAME, NAMESPACE, UID, World

KEY = ObjectKey(NAMESPACE, NAME)


@dataclass
class Setting:
    """A reconciler whose API server is a World."""

    world: World = field(default_factory=World)
    clock: FakeClock = field(default_factory=FakeClock)
    calls: list[str] = field(default_factory=list)
    answers: dict[str, Outcome | ApiError] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    status_error: ApiError | None = None
    gone: bool = False

    def __post_init__(self) -> None:
        writers = {resource: Writer(self) for resource in (*OWNED, CONTROLLERREVISIONS)}
        self.reconciler = ServingReconciler(
            cast("Sources", Caches(self)),
            cast("dict[Resource, ChildWriter]", writers),
            cast("StatusWriter", Statuses(self)),
            cast("EventRecorder", Events(self)),
            self.world.settings,
            self.clock,
            ServingMetrics(self.registry, [resource.kind for resource in writers]),
            cast("Resizer", WorldResizer(self.world) if isinstance(self.world, ResizeWorld) else None),
        )

    async def reconcile(self) -> Result:
        self.calls.clear()
        return await self.reconciler.reconcile(KEY)

    async def reconcile_and_tell(self) -> Result:
        """The pass that sees a flip, and the one a moment later that tells it."""
        await self.reconcile()
        await self.clock.advance(FLIP_SECONDS)
        return await self.reconcile()

    async def settle(self) -> None:
        """Until served and said so."""
        for _ in range(5):
            await self.reconcile()
            self.world.kubernetes()
            await self.clock.advance(QUIET_SECONDS)

    def value(self, name: str, **labels: str) -> float | None:
        """What a metric says."""
        return self.registry.get_sample_value(name, labels)

    def conditions(self) -> dict[str, tuple[str, str]]:
        return {each["type"]: (each["status"], each["reason"]) for each in self.statuses[-1]["conditions"]}


@dataclass
class Writer:
    setting: Setting

    async def ensure(self, child: Child, owner: Owner) -> Outcome:
        assert owner.uid == UID
        self.setting.calls.append(child.resource.kind)
        answer = self.setting.answers.get(child.resource.kind)
        if isinstance(answer, ApiError):
            raise answer
        if answer is not None:
            return answer
        before = self.setting.world.writes
        self.setting.world.ensure(child)
        return Outcome.UNCHANGED if self.setting.world.writes == before else Outcome.CHANGED

    async def delete(self, key: ObjectKey, uid: str) -> None:
        self.setting.calls.append(f"delete {key.name}")
        found = next(each for each, thing in self.setting.world.things.items() if thing.uid == uid)
        del self.setting.world.things[found]


@dataclass
class Caches:
    setting: Setting

    @property
    def workloads(self) -> "Caches":
        return self

    @property
    def store(self) -> "Caches":
        return self

    def get(self, key: ObjectKey) -> CustomObject | None:
        return None if self.setting.gone else self.setting.world.workload()

    def observe(self, workload: CustomObject, specs: SpecCache) -> Observed:
        return self.setting.world.observe()

    def written(self, data: bytes) -> None:
        self.setting.world.status = data


@dataclass
class Statuses:
    setting: Setting

    async def write(self, meta: ObjectMeta, live: bytes, status: bytes) -> bytes | None:
        assert (meta.name, meta.uid) == (KEY.name, UID)
        if self.setting.status_error is not None:
            raise self.setting.status_error
        self.setting.calls.append("status")
        self.setting.statuses.append(msgspec.json.decode(status))
        return status


@dataclass
class Events:
    setting: Setting

    def record(self, regarding: ObjectReference, event_type: str, reason: str, note: str, action: str) -> None:
        assert regarding.uid == UID
        self.setting.events.append((event_type, reason))


@pytest.fixture
def setting() -> Setting:
    return Setting()


async def test_a_workload_is_served_with_few_status_writes(setting: Setting) -> None:
    await setting.settle()
    assert setting.conditions()["Ready"] == ("True", "Serving")
    assert len(setting.statuses) <= 3


async def test_the_record_comes_first_and_the_status_last(setting: Setting) -> None:
    await setting.reconcile()
    assert setting.calls[0] == "ControllerRevision"
    assert setting.calls[-1] == "status"
    assert setting.calls.count("status") == 1


async def test_a_quiet_pass_writes_nothing(setting: Setting) -> None:
    await setting.settle()
    before = setting.world.writes
    result = await setting.reconcile()
    assert "status" not in setting.calls
    assert setting.world.writes == before
    assert result == Result()


async def test_a_workload_that_is_gone_or_leaving_needs_nothing(setting: Setting) -> None:
    setting.gone = True
    assert await setting.reconcile() == Result()
    assert setting.calls == []


async def test_a_burst_of_changes_is_one_status_write(setting: Setting) -> None:
    setting.world.change(replicas=5)
    setting.world.ready_at_once = 1
    await setting.reconcile()
    setting.world.kubernetes()
    await setting.reconcile()
    written = len(setting.statuses)
    setting.world.kubernetes()
    result = await setting.reconcile()
    assert len(setting.statuses) == written
    assert result.requeue_after is not None
    assert 0 < result.requeue_after <= QUIET_SECONDS
    await setting.clock.advance(QUIET_SECONDS)
    await setting.reconcile()
    assert len(setting.statuses) == written + 1


SYNC_SECONDS = 15.0


def autoscaler_says(setting: Setting, cpu: int, *, desired: int = 2, words: str = "calculated from cpu") -> None:
    setting.world.child_status[HORIZONTALPODAUTOSCALERS] = {
        "desiredReplicas": desired,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": cpu}}}],
        "conditions": [{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": words}],
    }


async def autoscaled(setting: Setting) -> None:
    """Served under an autoscaler that has read once, and all of that told."""
    setting.world.change(autoscaling={"enabled": True, "minReplicas": 2, "targetCPUUtilization": 50})
    autoscaler_says(setting, 30)
    await setting.settle()
    await setting.clock.advance(READINGS_SECONDS)
    await setting.reconcile()


async def an_hour(setting: Setting, readings: Callable[[int], int]) -> int:
    """The status writes of an hour in which the autoscaler reads every 15 s, with all the passes that are asked for."""
    before = len(setting.statuses)
    for number in range(240):
        autoscaler_says(setting, readings(number))
        result = await setting.reconcile()
        assert result.requeue_after is None or result.requeue_after <= READINGS_SECONDS
        await setting.clock.advance(SYNC_SECONDS)
    return len(setting.statuses) - before


async def test_readings_that_jitter_cost_no_write_in_an_hour(setting: Setting) -> None:
    await autoscaled(setting)
    random_numbers = random.Random(1)
    assert await an_hour(setting, lambda _: 30 + random_numbers.randint(-4, 4)) == 0


async def test_a_load_that_goes_up_and_down_for_an_hour_costs_a_write_a_minute_at_most(setting: Setting) -> None:
    await autoscaled(setting)
    writes = await an_hour(setting, lambda number: (10, 90)[number % 2])
    assert 0 < writes <= 60


async def test_another_number_of_servers_is_told_at_the_pace_of_numbers_with_its_readings(setting: Setting) -> None:
    await autoscaled(setting)
    await setting.clock.advance(QUIET_SECONDS)
    autoscaler_says(setting, 33, desired=3)
    await setting.reconcile()
    assert setting.statuses[-1]["autoscaling"]["desired"] == 3
    assert setting.statuses[-1]["autoscaling"]["metrics"][0]["current"] == "33%"


async def test_words_of_the_autoscaler_that_never_rest_cost_a_write_a_minute_at_most(setting: Setting) -> None:
    await autoscaled(setting)
    before = len(setting.statuses)
    for number in range(240):
        autoscaler_says(setting, 30, words=f"missing request for cpu in container x of Pod p-{number}")
        await setting.reconcile()
        await setting.clock.advance(SYNC_SECONDS)
    assert 0 < len(setting.statuses) - before <= 60


async def test_a_step_that_waits_holds_up_the_next(setting: Setting) -> None:
    setting.answers["ControllerRevision"] = Outcome.WAITING
    result = await setting.reconcile()
    assert setting.calls == ["ControllerRevision", "status"]
    assert result.requeue_after is not None


async def test_a_foreign_object_is_a_conflict_that_is_looked_at_again(setting: Setting) -> None:
    setting.answers["Service"] = Outcome.FOREIGN
    result = await setting.reconcile()
    assert setting.conditions()["Ready"] == ("False", "NameConflict")
    assert "Deployment" in setting.calls
    assert result.requeue_after == 60


async def test_a_revision_that_cannot_be_recorded_gets_no_pods(setting: Setting) -> None:
    setting.answers["ControllerRevision"] = Outcome.FOREIGN
    await setting.reconcile()
    assert "Deployment" not in setting.calls
    assert setting.conditions()["Ready"] == ("False", "NameConflict")


async def test_a_child_that_breaks_the_apis_rules_makes_the_spec_invalid_and_raises_nothing(setting: Setting) -> None:
    await setting.settle()
    cause = Cause("spec.template.spec.containers[0].resources.requests", "Invalid", "must be less than the limit")
    setting.answers["Deployment"] = Invalid(422, "Invalid", "the Deployment is invalid", causes=(cause,))
    setting.world.change(modelVersion="v2")
    result = await setting.reconcile_and_tell()
    conditions = setting.conditions()
    assert conditions["Accepted"] == ("False", "InvalidSpec")
    assert conditions["Available"][0] == "True"
    message = next(each["message"] for each in setting.statuses[-1]["conditions"] if each["type"] == "Accepted")
    assert "resources.requests: must be less than the limit" in message
    assert "correct the field" in message
    assert result.requeue_after == 60


async def test_a_forbidden_child_is_told_in_the_servers_words(setting: Setting) -> None:
    setting.answers["Ingress"] = Forbidden(403, "Forbidden", "exceeded quota: ingresses")
    await setting.reconcile()
    assert setting.conditions()["Accepted"][0] == "True"
    assert setting.conditions()["Ready"] == ("False", "QuotaExceeded")
    assert "exceeded quota: ingresses" in str(setting.statuses[-1])


@pytest.mark.parametrize(
    "error",
    [
        BadRequest(
            400,
            "BadRequest",
            'admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: host "_" and path '
            '"/api/v1/predict" is already defined in ingress default/other',
        ),
        Invalid(
            422,
            "Invalid",
            "ingresses.networking.k8s.io \"bert\" is forbidden: ValidatingAdmissionPolicy 'hosts' with binding "
            "'all' denied request: name a host",
        ),
    ],
)
async def test_a_webhook_or_policy_that_denies_is_told_as_such_whatever_its_code(
    setting: Setting, error: ApiError
) -> None:
    setting.answers["Ingress"] = error
    await setting.reconcile()
    assert setting.conditions()["Accepted"][0] == "True"
    assert setting.conditions()["Ready"] == ("False", "AdmissionDenied")


@pytest.mark.parametrize("answer", [Forbidden(403, "Forbidden", "no"), Outcome.WAITING])
async def test_an_ingress_that_cannot_be_made_holds_up_no_rollout_and_nothing_is_deleted(
    setting: Setting, answer: Outcome | ApiError
) -> None:
    setting.answers["Ingress"] = answer
    await setting.settle()
    for version in ("v2", "v3", "v4"):
        setting.world.change(modelVersion=version)
        for _ in range(4):
            await setting.settle()
    assert setting.world.counts() == {"v4": 2}
    assert len(setting.world.of(CONTROLLERREVISIONS)) == 4
    setting.answers.clear()
    await setting.settle()
    assert len(setting.world.of(CONTROLLERREVISIONS)) == 3, "two old ones are kept"


async def test_an_ingress_that_serves_and_cannot_be_changed_keeps_the_servers_that_it_leads_to(
    setting: Setting,
) -> None:
    await setting.settle()
    setting.answers["Ingress"] = Forbidden(403, "Forbidden", "no")
    setting.world.change(modelVersion="v2", runtime="mlserver-sklearn")
    for _ in range(4):
        await setting.settle()
    assert setting.world.counts()["v1"] == 2


async def test_a_mebibyte_in_a_refusal_does_not_reach_the_status(setting: Setting) -> None:
    setting.answers["Deployment"] = Invalid(422, "Invalid", "x" * 1_000_000)
    await setting.reconcile()
    assert len(str(setting.statuses[-1])) < 20_000


async def test_old_servers_are_left_alone_while_the_new_ones_are_refused(setting: Setting) -> None:
    await setting.settle()
    setting.answers["Deployment"] = Invalid(422, "Invalid", "no")
    setting.world.change(modelVersion="v2")
    await setting.reconcile()
    assert setting.world.counts() == {"v1": 2}
    setting.answers.clear()
    await setting.settle()
    await setting.settle()
    assert setting.world.counts() == {"v2": 2}


async def test_a_server_that_fails_is_for_the_queue_to_try_again(setting: Setting) -> None:
    setting.answers["Deployment"] = ServerError(500, "InternalError", "etcd is away")
    with pytest.raises(ServerError):
        await setting.reconcile()


async def test_a_status_of_an_object_that_is_gone_is_no_error(setting: Setting) -> None:
    setting.status_error = Conflict(409, "Conflict", "uid")
    await setting.reconcile()
    assert setting.statuses == []
    assert setting.events == []


async def test_transitions_are_told_as_events_once(setting: Setting) -> None:
    await setting.settle()
    assert ("Normal", "Serving") in setting.events
    setting.events.clear()
    await setting.reconcile()
    assert setting.events == []
    setting.world.change(framework="Fortran")
    await setting.reconcile_and_tell()
    assert ("Warning", "NoServingRuntime") in setting.events


async def test_children_are_counted_by_what_became_of_them(setting: Setting) -> None:
    def children(kind: str) -> dict[str, float | None]:
        outcomes = ("created", "changed", "deleted", "refused", "foreign")
        return {each: setting.value("aiop_child_writes_total", kind=kind, outcome=each) for each in outcomes}

    setting.answers |= {"Deployment": Outcome.CREATED, "Service": Outcome.FOREIGN, "Ingress": Outcome.WAITING}
    setting.answers["PodDisruptionBudget"] = Forbidden(403, "Forbidden", "no")
    await setting.reconcile()
    nothing = dict.fromkeys(("created", "changed", "deleted", "refused", "foreign"), 0.0)
    assert children("Deployment") == {**nothing, "created": 1}
    assert children("Service") == {**nothing, "foreign": 2}
    assert children("Ingress") == children("HorizontalPodAutoscaler") == nothing
    assert children("PodDisruptionBudget") == {**nothing, "refused": 1}
    setting.answers.clear()
    await setting.settle()
    changed = children("Ingress")["changed"]
    await setting.reconcile()
    assert children("Ingress") == {**nothing, "changed": changed}
    setting.world.change(inferenceEndpoint=None)
    await setting.settle()
    assert children("Ingress") == {**nothing, "changed": changed, "deleted": 1}


async def test_a_rollout_is_measured_once_when_it_is_complete(setting: Setting) -> None:
    setting.world.ready_at_once = 0
    await setting.reconcile()
    await setting.clock.advance(90.0)
    setting.world.ready_at_once = 100
    assert setting.value("aiop_workload_rollout_seconds_count") == 0
    await setting.settle()
    await setting.settle()
    assert setting.value("aiop_workload_rollout_seconds_count") == 1
    assert setting.value("aiop_workload_rollout_seconds_sum") == pytest.approx(90.0, abs=2 * QUIET_SECONDS)
    told = len(setting.statuses)
    setting.world.change(inferenceEndpoint="/elsewhere")
    await setting.reconcile_and_tell()
    assert len(setting.statuses) > told
    assert setting.value("aiop_workload_rollout_seconds_count") == 1


async def test_a_condition_that_changes_is_counted_by_its_reason(setting: Setting) -> None:
    await setting.settle()
    counter = "aiop_workload_condition_changes_total"
    assert setting.value(counter, type="Accepted", reason="NoServingRuntime") == 0
    setting.world.change(framework="Fortran")
    for _ in range(3):
        await setting.reconcile_and_tell()
    assert setting.value(counter, type="Accepted", reason="NoServingRuntime") == 1
    assert setting.value(counter, type="Accepted", reason="Accepted") == 1


async def test_killed_after_any_write_the_end_is_the_same() -> None:
    for killed_after in range(12):
        setting = Setting()
        setting.world.change(autoscaling={"enabled": True, "minReplicas": 2, "targetCPUUtilization": 50})
        kinds = [CONTROLLERREVISIONS, SERVICES, PODDISRUPTIONBUDGETS, INGRESSES, DEPLOYMENTS, HORIZONTALPODAUTOSCALERS]
        setting.answers[random.Random(killed_after).choice(kinds).kind] = ServerError(500, "", "killed")
        with pytest.raises(ServerError):
            await setting.reconcile()
        restarted = Setting(world=setting.world)
        await restarted.settle()
        assert restarted.world.counts() == {"v1": 2}
        assert len(restarted.world.things) == 7
        assert restarted.conditions()["Ready"] == ("True", "Serving")


def test_the_field_manager_is_the_controllers_own() -> None:
    assert FIELD_MANAGER == "aiop/serving"
    assert ServingSettings().workers >= 1


async def test_a_rollout_without_room_is_looked_at_again_when_the_patience_is_over() -> None:
    setting = Setting(World(capacity=2))
    await setting.settle()
    setting.world.now = setting.clock.now()
    setting.world.change(modelVersion="v2")
    await setting.reconcile()
    setting.world.kubernetes()
    await setting.clock.advance(QUIET_SECONDS)
    result = await setting.reconcile()
    assert result.requeue_after == pytest.approx(60.0 - QUIET_SECONDS)
    await setting.clock.advance(60.0)
    await setting.reconcile()
    assert setting.world.counts() == {"v1": 1, "v2": 1}


async def test_a_server_that_does_not_get_ready_is_looked_at_again() -> None:
    setting = Setting(World(ready_at_once=0))
    await setting.settle()
    started = setting.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    state = ContainerState(running=Running(started))
    for pod in setting.world.pods:
        pod.containers = (ContainerStatus(name="server", started=True, state=state),)
    assert (await setting.reconcile()).requeue_after == pytest.approx(60.0)


async def resizing(**fields: Any) -> tuple[Setting, ResizeWorld]:
    """Served, and with other amounts of cpu since."""
    world = ResizeWorld()
    world.change(**fields)
    setting = Setting(world=world)
    await setting.settle()
    world.change_amounts("3")
    return setting, world


async def test_servers_beyond_a_lot_are_asked_in_the_next_pass_which_comes_at_once() -> None:
    setting, world = await resizing(replicas=LOT + 1)
    result = await setting.reconcile()
    assert world.resizes == LOT
    assert result.requeue_after is not None
    assert 0 < result.requeue_after < FLIP_SECONDS / 2
    result = await setting.reconcile()
    assert world.resizes == LOT + 1
    assert result.requeue_after is None or result.requeue_after >= FLIP_SECONDS / 2


async def test_a_full_quota_is_tried_again_in_a_minute_however_many_servers_wait() -> None:
    setting, world = await resizing(replicas=LOT + 1)
    world.quota = True
    await setting.reconcile_and_tell()
    result = await setting.reconcile()
    assert result == Result(60.0)
    assert setting.conditions()["Progressing"] == ("False", "QuotaExceeded")


async def test_a_replica_set_follows_though_another_child_is_refused_for_its_deployment_is_paused() -> None:
    setting, world = await resizing()
    for _ in range(2):
        await setting.reconcile()
        world.kubernetes()
    assert world.paused()
    setting.answers["PodDisruptionBudget"] = Forbidden(403, "Forbidden", "no")
    await setting.reconcile()
    assert world.follows == 1


async def test_a_replica_set_that_may_not_follow_gets_another_plan_at_once_and_no_deployment_stays_paused() -> None:
    setting, world = await resizing()
    world.follow_answer = NotResizable("a policy forbids it")
    for _ in range(2):
        await setting.reconcile()
        world.kubernetes()
    assert world.paused()
    result = await setting.reconcile()
    assert result == Result(0.0)
    setting.answers["Service"] = Forbidden(403, "Forbidden", "no")  # and whatever else goes wrong
    await setting.reconcile()
    assert not world.paused()
    assert world.follows == 1
