"""A World whose servers can be resized while they run: with ReplicaSets, and kubelets that grant it or refuse."""

from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import msgspec

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.resize.amounts import Amounts, shown, with_amounts
from aiop.controllers.serving.resize.execution import ResizeExecutor
from aiop.controllers.serving.resize.plan import ServerResize
from aiop.controllers.serving.resize.resizer import NotResizable, Resized, Resizer
from aiop.controllers.serving.resize.restart import gets_more
from aiop.controllers.serving.resize.shape import TemplateResize
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import DEPLOYMENTS
from aiop.runtime.views.meta import ObjectMeta, OwnerReference
from aiop.runtime.views.workloads import (
    Container,
    ContainerState,
    ContainerStatus,
    Pod,
    PodSpec,
    ReplicaSet,
    ReplicaSetSpec,
    ReplicaSetStatus,
    Resources,
    Running,
    Template,
    TimedCondition,
)
from support.servingworld import World

Answer = TypeVar("Answer")


def at_once(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What work that waits for nothing comes to."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("Answer", end.value)
    raise AssertionError("it waits")


class WorldResizer:
    """A Resizer whose API server is a World."""

    def __init__(self, world: "ResizeWorld") -> None:
        self._world = world

    async def resize(self, server: ServerResize) -> Resized:
        return self._world.resize(server)

    async def follow(self, template: TemplateResize) -> Resized:
        return self._world.follow(template)


@dataclass
class Maker:
    """The one ReplicaSet of a Deployment; ``seen`` is the generation that its controller has seen."""

    uid: str
    pod: dict[str, Any]
    generation: int = 1
    seen: int = 1


@dataclass
class ResizeWorld(World):
    """`refused` says what kubelets make of a server's new amounts: None for yes, else a condition of the pod.

    `silent` kubelets say and do nothing, `deaf` ones do not know how. The API server lets no server have more while a
    `quota` is full, and answers a change of a ReplicaSet with `follow_answer`.
    """

    makers: dict[str, Maker] = field(default_factory=dict)
    asked: dict[str, Resources] = field(default_factory=dict)
    has: dict[str, Resources] = field(default_factory=dict)
    refused: TimedCondition | None = None
    deaf: bool = False
    crashed: bool = False
    replaced: int = 0
    refusal: str = ""
    resizes: int = 0
    follows: int = 0
    silent: bool = False
    quota: bool = False
    follow_answer: NotResizable | ChildRefused | None = None
    asked_at: dict[str, str] = field(default_factory=dict)
    heard: dict[str, Resources] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart_operator()

    def restart_operator(self) -> None:
        """All that it had in memory is gone."""
        self.executor = ResizeExecutor(cast("Resizer", WorldResizer(self)))

    def change_amounts(self, cpu: str, memory: str = "4Gi") -> None:
        self.change(resources={"limits": {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"}})

    def observe(self) -> Observed:
        observed = super().observe()
        return replace(
            observed,
            pods=tuple(self._with_amounts(pod) for pod in observed.pods),
            replica_sets=tuple(self._set(name, maker) for name, maker in self.makers.items()),
            resize_refusal=self.refusal or self.executor.refusal(observed.workload.metadata),
        )

    def reconcile(self) -> Plan:
        plan = super().reconcile()
        meta = self.workload().metadata
        followed = at_once(self.executor.follow(meta, plan.templates, self.now.timestamp()))
        if plan.resize is not None and not followed.final:
            at_once(self.executor.resize(meta, plan.resize))
        return plan

    def follow(self, template: TemplateResize) -> Resized:
        self.follows += 1
        if self.follow_answer is not None:
            raise self.follow_answer
        maker = self.makers[template.replica_set.metadata.name]
        maker.pod = dict(template.pod)
        maker.generation += 1
        self.writes += 1
        return Resized.CHANGED

    def resize(self, server: ServerResize) -> Resized:
        uid = server.pod.metadata.uid
        if uid not in self.uids():
            return Resized.OVERTAKEN
        if self.quota and gets_more(shown(server.pod.spec.containers), server.amounts):
            raise ChildRefused("QuotaExceeded", "exceeded quota: team")
        self.asked[uid] = _resources(server.amounts)
        self.asked_at[uid] = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.resizes += 1
        self.writes += 1
        return Resized.CHANGED

    def paused(self) -> bool:
        return any(each.content.get("paused") for each in self.of(DEPLOYMENTS))

    @staticmethod
    def _waits(plan: Plan) -> bool:
        resizes = plan.resize is not None and plan.resize.look_again is not None
        return resizes or World._waits(plan)

    def kubernetes(self) -> None:
        """The Deployment controller replaces servers whose ReplicaSet says something else, unless it is paused."""
        for thing in self.of(DEPLOYMENTS):
            pod = thing.content["template"]["spec"]
            maker = self.makers.setdefault(thing.name, Maker(f"set-{thing.name}", pod))
            maker.seen = maker.generation
            if maker.pod != pod and not thing.content.get("paused"):
                self.makers[thing.name] = Maker(f"set-{maker.uid}", pod)
                self.replaced += sum(each.deployment == thing.name for each in self.pods)
                self.pods = [each for each in self.pods if each.deployment != thing.name]
        super().kubernetes()
        for each in self.pods:
            made = _shown(self.makers[each.deployment].pod)
            self.asked.setdefault(each.uid, made)
            self.has.setdefault(each.uid, made)
            self.heard.setdefault(each.uid, made)
            if self.silent:
                continue
            self.heard[each.uid] = self.asked[each.uid]
            if self.refused is None:
                self.has[each.uid] = self.asked[each.uid]

    def _picture(self) -> object:
        seen = [(name, each.generation, each.seen) for name, each in self.makers.items()]
        observed = [each.observed_generation for each in self.of(DEPLOYMENTS)]
        return super()._picture(), seen, observed, sorted(self.asked), self.amounts()

    def amounts(self) -> list[tuple[str, str]]:
        """Limits of what each server has."""
        return sorted((each.limits.cpu, each.limits.memory) for pod in self.pods if (each := self.has.get(pod.uid)))

    def uids(self) -> set[str]:
        return {each.uid for each in self.pods}

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Status, reason and message."""
        observed = self.observe()
        plan = make_plan(observed, self.specs, self.settings, self.now)
        report = make_report(observed, plan, Hindrance(), self.now)
        (found,) = (each for each in msgspec.json.decode(report.status)["conditions"] if each["type"] == kind)
        return found["status"], found["reason"], found["message"]

    def _with_amounts(self, pod: Pod) -> Pod:
        uid = pod.metadata.uid
        asked, has = self.asked.get(uid, Resources()), self.has.get(uid)
        heard = asked == self.heard.get(uid)
        told = (self.refused,) if self.refused is not None and asked != has else ()
        container = ContainerStatus(
            "server",
            ready=pod.ready,
            restart_count=int(self.crashed),
            state=ContainerState(running=Running()),
            resources=None if self.deaf else has,
        )
        status = msgspec.structs.replace(
            pod.status,
            conditions=(*pod.status.conditions, *told),
            container_statuses=(container,),
            observed_generation=2 if heard else 1,
        )
        return msgspec.structs.replace(
            pod,
            metadata=msgspec.structs.replace(pod.metadata, generation=2),
            spec=PodSpec("node-1", (Container("server", asked),)),
            status=status,
            resized_at=self.asked_at.get(uid, ""),
        )

    def _set(self, name: str, maker: Maker) -> ReplicaSet:
        owner = self.things.get((DEPLOYMENTS, name))
        uid = owner.uid if owner is not None else ""
        template = msgspec.convert({"spec": maker.pod}, Template)
        meta = ObjectMeta(
            name=name,
            uid=maker.uid,
            generation=maker.generation,
            owner_references=(OwnerReference("apps/v1", "Deployment", name, uid, controller=True),),
        )
        return ReplicaSet(meta, ReplicaSetStatus(observed_generation=maker.seen), ReplicaSetSpec(template))


def _shown(pod: dict[str, Any]) -> Resources:
    """As the API server keeps a pod: requests that are not named are the limits."""
    containers = msgspec.convert(pod["containers"], tuple[Container, ...])
    return _resources(shown(containers))


def _resources(amounts: Amounts) -> Resources:
    (container,) = with_amounts({"containers": [{"name": "server"}]}, {"server": amounts["server"]})["containers"]
    return msgspec.convert(container["resources"], Resources)
