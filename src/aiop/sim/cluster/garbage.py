"""The garbage collector: what has owners goes when the last of them has gone.

An owner that is deleted in the foreground waits until everything below it that blocks has gone; one whose dependents
are to be orphaned waits until they know it no more.
"""

from collections.abc import Callable, Iterable

from aiop.runtime.client.builtin import (
    CONFIGMAPS,
    CONTROLLERREVISIONS,
    CUSTOMRESOURCEDEFINITIONS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    JOBS,
    LEASES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    SERVICEACCOUNTS,
    SERVICES,
)
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import CORE_EVENTS
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import finalizers_of, owners_of, terminating, uid_of
from aiop.sim.cluster.world import World

_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
_SECRETS = Resource("", "v1", "Secret", "secrets")
_ROLES = Resource("rbac.authorization.k8s.io", "v1", "Role", "roles")
_ROLEBINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
_BUILTIN = (
    PODS, NODES, NAMESPACES, SERVICES, CONFIGMAPS, SERVICEACCOUNTS, PERSISTENTVOLUMES, PERSISTENTVOLUMECLAIMS,
    DEPLOYMENTS, REPLICASETS, CONTROLLERREVISIONS, JOBS, ENDPOINTSLICES, INGRESSES, HORIZONTALPODAUTOSCALERS,
    PODDISRUPTIONBUDGETS, LEASES, CORE_EVENTS, _SECRETS, _ROLES, _ROLEBINDINGS,
)  # fmt: skip


class GarbageCollector:
    """Watches every kind, custom ones as they come, and works by UID: the loop's keys are ("", uid)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._found: dict[str, tuple[Resource, Object]] = {}
        self._blocked: dict[str, set[str]] = {}
        self._blocks: dict[str, set[str]] = {}
        self._buried: set[str] = set()
        self.loop = Loop(world.clock, self._reconcile)
        for resource in _BUILTIN:
            self._watch(resource)
        world.mirror(CUSTOMRESOURCEDEFINITIONS).subscribe(self._definition_changed)

    def _watch(self, resource: Resource) -> None:
        self._kinds[resource.api_version, resource.kind] = resource
        self._world.mirror(resource).subscribe(self._change_of(resource))

    def _definition_changed(self, old: Object | None, new: Object | None) -> None:
        before, now = _served(old), _served(new)
        for resource in before - now:
            self._bury(resource)
        for resource in now - before:
            self._watch(resource)

    def _bury(self, resource: Resource) -> None:
        """Its kind is served no more, so its objects have gone without a word."""
        self._kinds.pop((resource.api_version, resource.kind), None)
        gone = [uid_of(each) for each in self._world.mirror(resource).objects.values()]
        self._world.forget(resource)
        self._buried.update(gone)
        for uid in gone:
            self._gone(uid)

    def _change_of(self, resource: Resource) -> Callable[[Object | None, Object | None], None]:
        def changed(old: Object | None, new: Object | None) -> None:
            if old is not None and (new is None or uid_of(new) != uid_of(old)):
                self._gone(uid_of(old))
            if new is not None:
                self._here(resource, new)

        return changed

    def _here(self, resource: Resource, obj: Object) -> None:
        uid = uid_of(obj)
        self._found[uid] = (resource, obj)
        for owner in owners_of(obj):
            if owner.get("blockOwnerDeletion"):
                self._blocked.setdefault(owner["uid"], set()).add(uid)
                self._blocks.setdefault(uid, set()).add(owner["uid"])
        if owners_of(obj) or terminating(obj):
            self._look_at(uid)

    def _gone(self, uid: str) -> None:
        """What it owned may have to go, and what waited for it may go on once nothing below it is left."""
        self._found.pop(uid, None)
        for mirror in self._world.mirrors():
            for each in mirror.owned_by(uid):
                self._look_at(uid_of(each))
        self._unblock(uid)

    def _unblock(self, uid: str) -> None:
        """Those above stay blocked by what has gone for as long as something below that still blocks."""
        if uid in self._found or self._blocked.get(uid):
            return
        self._blocked.pop(uid, None)
        for owner in self._blocks.pop(uid, set()):
            self._blocked.get(owner, set()).discard(uid)
            self._look_at(owner)
            self._unblock(owner)

    def _look_at(self, uid: str) -> None:
        self.loop.add(ObjectKey("", uid))

    async def _reconcile(self, key: ObjectKey) -> None:
        found = self._found.get(key.name)
        if found is None:
            return
        resource, obj = found
        if terminating(obj):
            await self._end(resource, obj)
        elif owners_of(obj):
            await self._judge(resource, obj)

    async def _end(self, resource: Resource, obj: Object) -> None:
        if _ORPHAN in finalizers_of(obj):
            for mirror, each in self._dependents(obj):
                left = [owner for owner in owners_of(each) if owner["uid"] != uid_of(obj)]
                await self._patch(mirror.resource, each, {"ownerReferences": left or None})
            await self._drop_finalizer(resource, obj, _ORPHAN)
        elif _FOREGROUND in finalizers_of(obj):
            for mirror, each in self._dependents(obj):
                if not terminating(each) and self._all_leave(each):
                    await self._world.delete(mirror.resource, each)
            if not self._blocked.get(uid_of(obj)):
                await self._drop_finalizer(resource, obj, _FOREGROUND)

    def _all_leave(self, obj: Object) -> bool:
        """True if every owner has gone or waits for its dependents to go."""
        return all(self._leaves(owner["uid"]) for owner in owners_of(obj))

    def _leaves(self, uid: str) -> bool:
        found = self._found.get(uid)
        return found is None or (terminating(found[1]) and _FOREGROUND in finalizers_of(found[1]))

    async def _judge(self, resource: Resource, obj: Object) -> None:
        """Delete it if none of its owners is left; forget those that are gone if some are."""
        absent = [owner for owner in owners_of(obj) if await self._absent(owner, obj)]
        if not absent:
            if self._all_leave(obj):
                await self._world.delete(resource, obj)
        elif len(absent) == len(owners_of(obj)):
            await self._world.delete(resource, obj)
        else:
            left = [owner for owner in owners_of(obj) if owner not in absent]
            await self._patch(resource, obj, {"ownerReferences": left})

    async def _absent(self, owner: Object, dependent: Object) -> bool:
        """True if the owner of that UID is not there: the server says so, a mirror may be late."""
        if owner["uid"] in self._found or owner["uid"] in self._buried:
            return owner["uid"] in self._buried
        resource = self._kinds.get((owner["apiVersion"], owner["kind"]))
        if resource is None:
            return False  # a kind that is not served may come back with its objects
        namespace = dependent["metadata"].get("namespace", "") if resource.namespaced else ""
        return not await self._world.exists(resource, ObjectKey(namespace, owner["name"]), owner["uid"])

    def _dependents(self, obj: Object) -> Iterable[tuple[Mirror, Object]]:
        for mirror in self._world.mirrors():
            for each in mirror.owned_by(uid_of(obj)):
                yield mirror, each

    async def _drop_finalizer(self, resource: Resource, obj: Object, finalizer: str) -> None:
        left = [each for each in finalizers_of(obj) if each != finalizer]
        await self._patch(resource, obj, {"finalizers": left})

    async def _patch(self, resource: Resource, obj: Object, meta: Object) -> None:
        try:
            await self._world.patch(resource, obj, {"metadata": meta})
        except (NotFound, Conflict):
            return


def _served(definition: Object | None) -> set[Resource]:
    """The storage version of an established CustomResourceDefinition: one version is enough to see every object."""
    if definition is None:
        return set()
    spec = definition["spec"]
    names, namespaced = spec["names"], spec["scope"] == "Namespaced"
    return {
        Resource(spec["group"], version["name"], names["kind"], names["plural"], namespaced)
        for version in spec["versions"]
        if version.get("storage") and version.get("served")
    }
