"""A World whose servers can be resized while they run: with ReplicaSets, and kubelets that grant it or refuse."""

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.resize.amounts import Amounts, shown, with_amounts
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


@dataclass
class Maker:
    """The one ReplicaSet of a Deployment; ``seen`` is the generation that its controller has seen."""

    uid: str
    pod: dict[str, Any]
    generation: int = 1
    seen: int = 1


@dataclass
class ResizeWorld(World):
    """`granted` says what kubelets make of a server's new amounts: None for yes, else a condition of the pod."""

    makers: dict[str, Maker] = field(default_factory=dict)
    asked: dict[str, Resources] = field(default_factory=dict)
    has: dict[str, Resources] = field(default_factory=dict)
    refused: TimedCondition | None = None
    deaf: bool = False
    crashed: bool = False
    replaced: int = 0
    refusal: str = ""
    resizes: int = 0

    def change_amounts(self, cpu: str, memory: str = "4Gi") -> None:
        self.change(resources={"limits": {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"}})

    def observe(self) -> Observed:
        observed = super().observe()
        return replace(
            observed,
            pods=tuple(self._with_amounts(pod) for pod in observed.pods),
            replica_sets=tuple(self._set(name, maker) for name, maker in self.makers.items()),
            resize_refusal=self.refusal,
        )

    def reconcile(self) -> Plan:
        plan = super().reconcile()
        for template in plan.templates:
            name = template.replica_set.metadata.name
            self.makers[name].pod = dict(template.pod)
            self.makers[name].generation += 1
            self.writes += 1
        for server in plan.resize.servers if plan.resize else ():
            self.asked[server.pod.metadata.uid] = _resources(server.amounts)
            self.resizes += 1
            self.writes += 1
        return plan

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
        told = (self.refused,) if self.refused is not None and asked != has else ()
        container = ContainerStatus(
            "server",
            ready=pod.ready,
            restart_count=int(self.crashed),
            state=ContainerState(running=Running()),
            resources=None if self.deaf else has,
        )
        status = msgspec.structs.replace(
            pod.status, conditions=(*pod.status.conditions, *told), container_statuses=(container,)
        )
        return msgspec.structs.replace(pod, spec=PodSpec("node-1", (Container("server", asked),)), status=status)

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
