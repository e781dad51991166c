"""The Deployment controller: a ReplicaSet for each pod template, sizes as the rollout says."""

from collections.abc import Sequence

from aiop.runtime.client.builtin import DEPLOYMENTS, REPLICASETS
from aiop.runtime.client.errors import AlreadyExists
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster import deploymentstatus as says
from aiop.sim.cluster import rollout
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.moments import seconds_since
from aiop.sim.cluster.objects import (
    annotations_of,
    condition_of,
    controlled_by,
    controller_of,
    key_of,
    labels_of,
    owner_reference,
    status_of,
    terminating,
    uid_of,
)
from aiop.sim.cluster.podcontrol import claimed
from aiop.sim.cluster.templates import HASH_LABEL, labelled, same_template, template_hash
from aiop.sim.cluster.world import World
from aiop.sim.semantics.selectors import selector_match

REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_OWN_ANNOTATIONS = frozenset(
    {REVISION, _HISTORY, rollout.DESIRED, rollout.MAXIMUM, "kubectl.kubernetes.io/last-applied-configuration"}
)


class Deployments:
    """Reconciles every Deployment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "deployment-controller")
        self._deployments = world.mirror(DEPLOYMENTS)
        self.loop = Loop(world.clock, self._reconcile)
        self._deployments.subscribe(self._deployment_changed)
        world.mirror(REPLICASETS).subscribe(self._set_changed)

    def _deployment_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _set_changed(self, old: Object | None, new: Object | None) -> None:
        for each in (old, new):
            if each is None:
                continue
            owner = controller_of(each)
            if owner is None:
                self._wake_adopters(each)
            elif owner["kind"] == "Deployment":
                self.loop.add(ObjectKey(each["metadata"]["namespace"], owner["name"]))

    def _wake_adopters(self, orphan: Object) -> None:
        for each in self._deployments.in_namespace(orphan["metadata"]["namespace"]):
            if selector_match(each["spec"]["selector"])(labels_of(orphan)):
                self.loop.add(key_of(each))

    async def _reconcile(self, key: ObjectKey) -> float | None:
        deployment = self._deployments.get(key)
        if deployment is None:
            return None
        sets = await claimed(self._world, REPLICASETS, deployment, selector_match(deployment["spec"]["selector"]))
        if terminating(deployment):
            await self._write(deployment, says.counts(deployment, _newest(deployment, sets), sets, self._world.clock))
            return None
        deployment = await self._note_pause(deployment)
        new = _newest(deployment, sets)
        if deployment["spec"].get("paused") or _was_scaled(deployment, sets):
            await self._scale(deployment, new, sets)
            sets = self._again(sets)
            status = says.counts(deployment, _newest(deployment, sets), sets, self._world.clock)
            await self._write(deployment, status)
            return None
        return await self._roll(deployment, new, sets)

    async def _roll(self, deployment: Object, new: Object | None, sets: list[Object]) -> float | None:
        if rollout.is_rolling(deployment) or new is not None or not self._old_pods_run(sets):
            deployment, new = await self._new_set(deployment, new, sets)
        if new is None:
            for each in sets:
                await self._resize(deployment, each, 0)
        else:
            await self._resize_all(deployment, new, [each for each in sets if uid_of(each) != uid_of(new)])
        sets = self._again([*sets, new] if new else sets)
        new = _newest(deployment, sets)
        status = says.counts(deployment, new, sets, self._world.clock)
        if says.complete(deployment, status):
            await self._clean_up(deployment, new, sets)
        status = says.progressed(deployment, status, new, sets, self._world.clock)
        deployment = await self._write(deployment, status)
        return self._until_deadline(deployment)

    async def _resize_all(self, deployment: Object, new: Object, olds: list[Object]) -> None:
        """One step: grow the new one as far as it may, else shrink the old ones."""
        if not rollout.is_rolling(deployment) and any(rollout.replicas_of(each) for each in olds):
            for each in olds:
                await self._resize(deployment, each, 0)
            return
        if not rollout.is_rolling(deployment) and self._old_pods_run(olds):
            return
        size = rollout.new_size(deployment, new, [new, *olds])
        if await self._resize(deployment, new, size):
            return
        sizes = rollout.old_sizes(deployment, new, olds)
        for each in olds:
            await self._resize(deployment, each, sizes[each["metadata"]["name"]])

    def _old_pods_run(self, olds: Sequence[Object]) -> bool:
        """True while a pod of an old ReplicaSet exists in any shape: Recreate waits for its end."""
        return any(self._world.pods.owned_by(uid_of(each)) or rollout.replicas_of(each) for each in olds)

    async def _new_set(
        self, deployment: Object, new: Object | None, sets: list[Object]
    ) -> tuple[Object, Object | None]:
        """The ReplicaSet of the current template, made or brought up to date."""
        olds = [each for each in sets if new is None or uid_of(each) != uid_of(new)]
        revision = max((_revision(each) for each in olds), default=0) + 1
        if new is None:
            return await self._create_set(deployment, sets, revision)
        wanted = _set_annotations(deployment, new, max(revision, _revision(new)))
        patch: Object = {}
        if wanted != annotations_of(new):
            patch["metadata"] = {"annotations": wanted}
        if new["spec"].get("minReadySeconds", 0) != deployment["spec"].get("minReadySeconds", 0):
            patch["spec"] = {"minReadySeconds": deployment["spec"].get("minReadySeconds", 0)}
        if patch:
            new = await self._world.patch(REPLICASETS, new, patch)
        deployment = await self._note_revision(deployment, _revision(new))
        if not condition_of(deployment, "Progressing"):
            words = f'Found new replica set "{new["metadata"]["name"]}"'
            deployment = await self._note(deployment, "FoundNewReplicaSet", words)
        return deployment, new

    async def _create_set(self, deployment: Object, sets: list[Object], revision: int) -> tuple[Object, Object | None]:
        manifest = _new_manifest(deployment, revision)
        room = rollout.replicas_of(deployment) + rollout.bounds_of(deployment).surge
        room -= sum(map(rollout.replicas_of, sets))
        size = max(0, min(room, rollout.replicas_of(deployment)))
        manifest["spec"]["replicas"] = size if rollout.is_rolling(deployment) else rollout.replicas_of(deployment)
        try:
            created = await self._world.create(REPLICASETS, manifest)
        except AlreadyExists:
            # Another template has this hash (or a stranger this name): the next pass tries the next hash.
            collided = {**status_of(deployment), "collisionCount": rollout.count(deployment, "collisionCount") + 1}
            return await self._write(deployment, collided), None
        name = created["metadata"]["name"]
        if manifest["spec"]["replicas"]:
            words = f"Scaled up replica set {name} from 0 to {manifest['spec']['replicas']}"
            await self._events.normal(deployment, "ScalingReplicaSet", words)
        deployment = await self._note_revision(deployment, revision)
        return await self._note(deployment, "NewReplicaSetCreated", f'Created new replica set "{name}"'), created

    async def _resize(self, deployment: Object, each: Object, size: int) -> bool:
        """Give the ReplicaSet its size, and the notes of what it was sized for; True if the size is another now."""
        before = rollout.replicas_of(each)
        notes = _size_notes(deployment)
        if before == size and notes.items() <= annotations_of(each).items():
            return False
        patch = {"metadata": {"annotations": notes}, "spec": {"replicas": size}}
        await self._world.patch(REPLICASETS, each, patch)
        if before == size:
            return False
        words = (
            f"Scaled {'up' if size > before else 'down'} replica set {each['metadata']['name']} from {before} to {size}"
        )
        await self._events.normal(deployment, "ScalingReplicaSet", words)
        return True

    async def _scale(self, deployment: Object, new: Object | None, sets: list[Object]) -> None:
        """Follow a change of spec.replicas alone, or do the little that a paused Deployment does."""
        live = [each for each in sets if rollout.replicas_of(each)]
        latest = new if not live else live[0] if len(live) == 1 else None
        if latest is not None:
            await self._resize(deployment, latest, rollout.replicas_of(deployment))
            return
        if rollout.is_rolling(deployment):
            sizes = rollout.proportional(deployment, live)
            for each in live:
                await self._resize(deployment, each, sizes[each["metadata"]["name"]])

    async def _clean_up(self, deployment: Object, new: Object | None, sets: list[Object]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit")
        olds = [each for each in sets if new is None or uid_of(each) != uid_of(new)]
        idle = [each for each in olds if not rollout.replicas_of(each) and not rollout.count(each, "replicas")]
        for each in sorted(idle, key=_revision)[: max(0, len(idle) - (10 if limit is None else int(limit)))]:
            if not terminating(each):
                await self._world.delete(REPLICASETS, each)

    async def _note_pause(self, deployment: Object) -> Object:
        """A pause stops the clock of the deadline; its end starts it anew."""
        known = condition_of(deployment, "Progressing")
        if says.deadline_of(deployment) is None or known.get("reason") == "ProgressDeadlineExceeded":
            return deployment
        paused = bool(deployment["spec"].get("paused"))
        if paused and known.get("reason") != "DeploymentPaused":
            return await self._note(deployment, "DeploymentPaused", "Deployment is paused", status="Unknown")
        if not paused and known.get("reason") == "DeploymentPaused":
            return await self._note(deployment, "DeploymentResumed", "Deployment is resumed", status="Unknown")
        return deployment

    async def _note(self, deployment: Object, reason: str, message: str, *, status: str = "True") -> Object:
        if says.deadline_of(deployment) is None:
            return deployment
        said = says.condition("Progressing", status, reason, message)
        conditions = says.with_said(status_of(deployment).get("conditions") or [], said, self._world.clock)
        return await self._write(deployment, {**status_of(deployment), "conditions": conditions})

    async def _note_revision(self, deployment: Object, revision: int) -> Object:
        if annotations_of(deployment).get(REVISION) == str(revision):
            return deployment
        return await self._world.patch(
            DEPLOYMENTS, deployment, {"metadata": {"annotations": {REVISION: str(revision)}}}
        )

    async def _write(self, deployment: Object, status: Object) -> Object:
        return await self._world.write_status(DEPLOYMENTS, deployment, status)

    def _again(self, sets: list[Object]) -> list[Object]:
        mirror = self._world.mirror(REPLICASETS)
        fresh = {uid_of(each): mirror.get(key_of(each)) for each in sets}
        return [each for each in fresh.values() if each is not None]

    def _until_deadline(self, deployment: Object) -> float | None:
        known, deadline = condition_of(deployment, "Progressing"), says.deadline_of(deployment)
        if deadline is None or known.get("reason") in {None, "NewReplicaSetAvailable", "ProgressDeadlineExceeded"}:
            return None
        # One second more: times of conditions are whole seconds, cut off.
        return max(0.0, deadline - seconds_since(known["lastUpdateTime"], self._world.clock)) + 1


def _newest(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """The ReplicaSet of the current template; the oldest, should there be two."""
    template = deployment["spec"]["template"]
    fitting = [
        each
        for each in sets
        if controlled_by(each, uid_of(deployment)) and same_template(each["spec"]["template"], template)
    ]
    return min(fitting, key=lambda each: each["metadata"]["creationTimestamp"], default=None)


def _revision(each: Object) -> int:
    try:
        return int(annotations_of(each).get(REVISION, "0"))
    except ValueError:
        return 0


def _was_scaled(deployment: Object, sets: Sequence[Object]) -> bool:
    """True if a ReplicaSet with pods was sized for another number of replicas."""
    wanted = str(rollout.replicas_of(deployment))
    notes = [annotations_of(each).get(rollout.DESIRED, wanted) for each in sets if rollout.replicas_of(each)]
    return any(note != wanted for note in notes)


def _size_notes(deployment: Object) -> dict[str, str]:
    wanted = rollout.replicas_of(deployment)
    most = wanted + rollout.bounds_of(deployment).surge if wanted else 0
    return {rollout.DESIRED: str(wanted), rollout.MAXIMUM: str(most)}


def _set_annotations(deployment: Object, each: Object | None, revision: int) -> dict[str, str]:
    copied = {name: value for name, value in annotations_of(deployment).items() if name not in _OWN_ANNOTATIONS}
    known = annotations_of(each) if each is not None else {}
    wanted = {**known, **copied, REVISION: str(revision)}
    before = known.get(REVISION)
    if before and before != str(revision):
        wanted[_HISTORY] = ",".join(filter(None, [known.get(_HISTORY), before]))
    return wanted | (_size_notes(deployment) if each is None else {})


def _new_manifest(deployment: Object, revision: int) -> Object:
    spec = deployment["spec"]
    value = template_hash(spec["template"], rollout.count(deployment, "collisionCount"))
    selector = spec["selector"]
    matched = {**(selector.get("matchLabels") or {}), HASH_LABEL: value}
    template = labelled(spec["template"], value)
    meta = {
        "name": f"{deployment['metadata']['name']}-{value}",
        "namespace": deployment["metadata"]["namespace"],
        "labels": template["metadata"]["labels"],
        "annotations": _set_annotations(deployment, None, revision),
        "ownerReferences": [owner_reference(deployment)],
    }
    wanted: Object = {"selector": {**selector, "matchLabels": matched}, "template": template}
    if spec.get("minReadySeconds"):
        wanted["minReadySeconds"] = spec["minReadySeconds"]
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": wanted}
