"""A workload's surroundings without any I/O: children, pods, endpoints and autoscaler, moved by hand."""

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.exposure.claims import Ledger, NoClaims
from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.gateways import GatewayView
from aiop.controllers.serving.exposure.kinds import HTTPROUTES, MIDDLEWARES, PODMONITORS, SERVICEMONITORS
from aiop.controllers.serving.names import FIELD_MANAGER, REVISION_LABEL, WORKLOAD_LABEL
from aiop.controllers.serving.observed import Observed, deployment_state
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    SERVICES,
)
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.children import Child
from aiop.runtime.controller.drift import says
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta, OwnerReference
from aiop.runtime.views.owned import ManagedFieldsEntry, Owned, Revision
from aiop.runtime.views.workloads import (
    ContainerStatus,
    Endpoint,
    EndpointConditions,
    EndpointSlice,
    Pod,
    PodStatus,
    ReplicaSet,
    TargetReference,
    TimedCondition,
)

NAMESPACE = "default"
NAME = "bert"
UID = "workload-uid"
KUBERNETES = "kube-controller-manager"

# How much time passes in each step.
STEP = timedelta(seconds=20)
SET_UP = TimedCondition("PodReadyToStartContainers", "True")
NO_ROOM = TimedCondition(
    "PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
)

BERT: Mapping[str, Any] = {
    "modelName": "bert-base-uncased",
    "modelVersion": "v1",
    "framework": "ONNX",
    "replicas": 2,
    "resources": {"limits": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"}},
    "inferenceEndpoint": "/api/v1/predict",
}


def default_runtimes() -> dict[str, ServingRuntimeSpec]:
    return {
        name: ServingRuntimeSpec.model_validate_json(msgspec.json.encode(spec), extra="forbid")
        for name, spec in DEFAULT_RUNTIMES.items()
    }


@dataclass
class FakePod:
    uid: str
    deployment: str
    revision: str
    version: str
    ready: bool = False
    containers: tuple[ContainerStatus, ...] = ()
    conditions: tuple[TimedCondition, ...] = ()
    phase: str = "Running"
    reason: str = ""
    created: str = ""

    def view(self) -> Pod:
        ready = TimedCondition(type="Ready", status=str(self.ready))
        return Pod(
            ObjectMeta(
                name=self.uid,
                namespace=NAMESPACE,
                uid=self.uid,
                creation_timestamp=self.created,
                labels={WORKLOAD_LABEL: NAME, REVISION_LABEL: self.revision},
            ),
            status=PodStatus(
                phase=self.phase,
                reason=self.reason,
                conditions=(ready, *self.conditions),
                container_statuses=self.containers,
            ),
        )


@dataclass
class Thing:
    """One child as the API server keeps it."""

    resource: Resource
    name: str
    uid: str
    body: dict[str, Any]
    generation: int = 1
    observed_generation: int = 0
    replicas_owner: str = ""
    served: bool = False
    intent: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = self.body.setdefault("spec", {})
        return content

    def meta(self) -> ObjectMeta:
        given = self.body.get("metadata", {})
        owner = OwnerReference("geartickler.com/v1alpha1", "AIWorkload", NAME, UID, controller=True)
        return ObjectMeta(
            name=self.name,
            namespace=NAMESPACE,
            uid=self.uid,
            generation=self.generation,
            labels=dict(given.get("labels", {})),
            annotations=dict(given.get("annotations", {})),
            owner_references=(owner,),
        )


@dataclass
class World:
    """`settle` runs operator and cluster until nothing changes; `step` moves each of them once, and time with them.

    `capacity` is the number of pods that there is room for; the oldest have it.
    """

    spec: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(dict(BERT)))
    settings: ServingSettings = field(default_factory=lambda: ServingSettings(model_store="pvc://models"))
    runtimes: dict[str, ServingRuntimeSpec] = field(default_factory=default_runtimes)
    things: dict[tuple[Resource, str], Thing] = field(default_factory=dict)
    pods: list[FakePod] = field(default_factory=list)
    replica_sets: tuple[ReplicaSet, ...] = ()
    status: bytes = b"{}"
    generation: int = 1
    created: str = "2026-01-01T00:00:30Z"
    broken: set[str] = field(default_factory=set)
    overdue: set[str] = field(default_factory=set)
    child_status: dict[Resource, dict[str, Any]] = field(default_factory=dict)
    autoscaler_wants: int | None = None
    gpu_metric: Served = NOT_LOOKED
    ready_at_once: int = 100
    capacity: int = 1000
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    cluster: Cluster = field(default_factory=Cluster)
    gateways: dict[ObjectKey, GatewayView] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=NoClaims)
    writes: int = 0
    specs: SpecCache = field(default_factory=SpecCache)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def change(self, **fields: Any) -> None:
        """Edit the spec; None takes a field out."""
        self.spec = {name: value for name, value in {**self.spec, **fields}.items() if value is not None}
        self.generation += 1

    # What the operator sees.

    def workload(self) -> CustomObject:
        meta = ObjectMeta(
            name=NAME, namespace=NAMESPACE, uid=UID, generation=self.generation, creation_timestamp=self.created
        )
        return CustomObject(meta, msgspec.json.encode(self.spec), self.status)

    def observe(self) -> Observed:
        owned = {resource: self._views(resource) for resource in (SERVICES, DEPLOYMENTS)}
        return Observed(
            workload=self.workload(),
            runtimes=self.runtimes,
            revisions=tuple(
                Revision(thing.meta(), msgspec.json.encode(thing.body["data"]), thing.body["revision"])
                for thing in self.of(CONTROLLERREVISIONS)
            ),
            deployments={name: deployment_state(view) for name, view in owned[DEPLOYMENTS].items()},
            services=owned[SERVICES],
            ingress=self._views(INGRESSES).get(NAME),
            autoscaler=self._views(HORIZONTALPODAUTOSCALERS).get(NAME),
            budget=self._views(PODDISRUPTIONBUDGETS).get(NAME),
            gpu_metric=self.gpu_metric,
            replica_sets=self.replica_sets,
            pods=tuple(pod.view() for pod in self.pods),
            slices=(self._slice(),),
            cluster=self.cluster,
            http_route=self._views(HTTPROUTES).get(NAME),
            middlewares=self._views(MIDDLEWARES),
            monitors={
                kind: view
                for kind in (SERVICEMONITORS, PODMONITORS)
                if (view := self._views(kind).get(NAME)) is not None
            },
            gateways=self.gateways,
            ledger=self.ledger,
        )

    def of(self, resource: Resource) -> list[Thing]:
        return [
            thing for (kind, _), thing in sorted(self.things.items(), key=lambda item: item[0][1]) if kind is resource
        ]

    def deployment(self, version: str) -> Thing:
        """The Deployment that serves that modelVersion."""
        return next(thing for thing in self.of(DEPLOYMENTS) if _version(thing) == version)

    def counts(self) -> dict[str, int]:
        """Wanted pods by modelVersion, without zeros."""
        return {_version(each): each.content["replicas"] for each in self.of(DEPLOYMENTS) if each.content["replicas"]}

    def ready(self) -> int:
        return sum(pod.ready for pod in self.pods)

    # What the operator does.

    def plan(self) -> Plan:
        return make_plan(self.observe(), self.specs, self.settings, self.now)

    def reconcile(self) -> Plan:
        plan = self.plan()
        for step in plan.steps:
            for child in step:
                self.ensure(child)
        for deletion in plan.deletions:
            del self.things[deletion.resource, deletion.key.name]
            self.writes += 1
        return plan

    def ensure(self, child: Child) -> None:
        """What a ChildWriter does, without the API server."""
        known = self.things.get((child.resource, child.key.name))
        body = copy.deepcopy(dict(child.body))
        if known is None:
            body.setdefault("spec", {})
            if child.resource is DEPLOYMENTS:
                body["spec"].setdefault("replicas", 1)
            self.things[child.resource, child.key.name] = Thing(
                child.resource,
                child.key.name,
                f"uid-{next(self._ids)}",
                body,
                replicas_owner=FIELD_MANAGER,
                intent=copy.deepcopy(body),
            )
            self.writes += 1
        elif child.resource is CONTROLLERREVISIONS:
            self._renumber(known, body)
        elif known.intent != body or not says(known.body, body):
            known.intent = copy.deepcopy(body)
            self._apply(known, body)

    def _renumber(self, known: Thing, body: dict[str, Any]) -> None:
        if known.body["revision"] != body["revision"] or known.body["metadata"] != body["metadata"]:
            known.body |= {"revision": body["revision"], "metadata": body["metadata"]}
            self.writes += 1

    def _apply(self, known: Thing, body: dict[str, Any]) -> None:
        replicas = known.content.get("replicas")
        known.body = body
        if known.resource is DEPLOYMENTS:
            if "replicas" in body["spec"]:
                known.replicas_owner = FIELD_MANAGER
            else:
                # Letting go of a field that nobody else owns resets it to its default.
                body["spec"]["replicas"] = replicas if known.replicas_owner != FIELD_MANAGER else 1
        known.generation += 1
        self.writes += 1

    # What the cluster does.

    def step(self) -> Plan:
        """Operator, autoscaler, Deployment controllers and kubelets move once each; the plan that was done."""
        plan = self.reconcile()
        self.autoscale()
        self.kubernetes()
        self.now += STEP
        return plan

    def settle(self, steps: int = 200) -> int:
        """Step until nothing changes; the number of steps it took."""
        for number in range(steps):
            before = self._picture()
            plan = self.step()
            if self._picture() == before and not self._waits(plan):
                return number
        message = f"not settled after {steps} steps: {self.counts()}"
        raise AssertionError(message)

    @staticmethod
    def _waits(plan: Plan) -> bool:
        """True if time alone will change something."""
        return plan.rollout is not None and plan.rollout.look_again is not None

    def autoscale(self) -> None:
        """The autoscaler sets the count of the Deployment that it aims at."""
        for thing in self.of(HORIZONTALPODAUTOSCALERS):
            aimed = self.things.get((DEPLOYMENTS, thing.content["scaleTargetRef"]["name"]))
            if aimed is None or not aimed.content["replicas"]:
                continue
            wanted = self.autoscaler_wants if self.autoscaler_wants is not None else aimed.content["replicas"]
            wanted = min(max(wanted, thing.content["minReplicas"]), thing.content["maxReplicas"])
            if wanted != aimed.content["replicas"]:
                aimed.content["replicas"] = wanted
                aimed.replicas_owner = KUBERNETES
                aimed.generation += 1

    def kubernetes(self) -> None:
        """Pods come and go; of those that work, a few become ready in each step."""
        names = {thing.name for thing in self.of(DEPLOYMENTS)}
        self.pods = [pod for pod in self.pods if pod.deployment in names]
        for thing in self.of(DEPLOYMENTS):
            self._scale(thing)
        left = self.ready_at_once
        for place, pod in enumerate(self.pods):
            pod.conditions = (SET_UP,) if place < self.capacity else (NO_ROOM,)
            if not pod.ready and pod.version not in self.broken and left and place < self.capacity:
                pod.ready = True
                left -= 1
        for thing in self.of(DEPLOYMENTS):
            mine = [pod for pod in self.pods if pod.deployment == thing.name]
            thing.served = thing.served or (all(pod.ready for pod in mine) and len(mine) == thing.content["replicas"])
            thing.observed_generation = thing.generation

    def _scale(self, thing: Thing) -> None:
        mine = sorted((pod for pod in self.pods if pod.deployment == thing.name), key=lambda pod: not pod.ready)
        wanted = thing.content["replicas"]
        kept = {pod.uid for pod in mine[:wanted]}
        self.pods = [pod for pod in self.pods if pod.deployment != thing.name or pod.uid in kept]
        labels = thing.content["template"]["metadata"]["labels"]
        for _ in range(wanted - len(kept)):
            uid = f"pod-{next(self._ids)}"
            moment = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
            self.pods.append(FakePod(uid, thing.name, labels[REVISION_LABEL], _version(thing), created=moment))

    def _progress(self, thing: Thing) -> list[dict[str, str]]:
        if _version(thing) in self.overdue:
            return [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
        return [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}] if thing.served else []

    def _picture(self) -> object:
        pods = sorted((pod.deployment, pod.ready) for pod in self.pods)
        return self.writes, pods, [(thing.name, thing.generation) for thing in self.things.values()]

    def _slice(self) -> EndpointSlice:
        return EndpointSlice(
            ObjectMeta(name=f"{NAME}-1", namespace=NAMESPACE, labels={"kubernetes.io/service-name": NAME}),
            tuple(
                Endpoint((), EndpointConditions(ready=pod.ready), TargetReference("Pod", pod.uid, pod.uid))
                for pod in self.pods
            ),
        )

    def _views(self, resource: Resource) -> dict[str, Owned]:
        return {thing.name: self._view(thing) for thing in self.of(resource)}

    def _view(self, thing: Thing) -> Owned:
        status: dict[str, Any] = self.child_status.get(thing.resource, {})
        if thing.resource is DEPLOYMENTS:
            mine = [pod for pod in self.pods if pod.deployment == thing.name]
            ready = sum(pod.ready for pod in mine)
            status = {
                "observedGeneration": thing.observed_generation,
                "replicas": len(mine),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "conditions": self._progress(thing),
            }
        entry = ManagedFieldsEntry(thing.replicas_owner, "Update", "", b'{"f:spec":{"f:replicas":{}}}')
        return Owned(thing.meta(), msgspec.json.encode(thing.content), msgspec.json.encode(status), (entry,))


def _version(thing: Thing) -> str:
    variables = {each["name"]: each.get("value") for each in thing.content["template"]["spec"]["containers"][0]["env"]}
    return str(variables["AIOP_MODEL_VERSION"])
