"""What the simulated controllers share: one mirror a resource, writes that the mirrors learn at once, events."""

import asyncio
from collections.abc import Iterable

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.errors import AlreadyExists, Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import Supervisor
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import key_of, status_of, uid_of


class World:
    """The cluster as the controllers see and change it.

    Mirrors of resources asked for before ``run`` are filled when ``run`` returns; one asked for later fills itself.
    """

    def __init__(self, api: ClusterAPI, clock: Clock) -> None:
        self.api = api
        self.clock = clock
        self._mirrors: dict[Resource, Mirror] = {}
        self._tasks: dict[Resource, asyncio.Task[None]] = {}
        self._supervisor: Supervisor | None = None
        self.pods = self.mirror(PODS)
        self.nodes = self.mirror(NODES)

    @property
    def moment(self) -> str:
        """Now, as the API writes it."""
        return moment_of(self.clock)

    def mirror(self, resource: Resource) -> Mirror:
        """The one mirror of the resource."""
        if resource not in self._mirrors:
            self._mirrors[resource] = Mirror(self.api, resource, self.clock)
            self._follow(resource)
        return self._mirrors[resource]

    def forget(self, resource: Resource) -> None:
        """Follow the resource no more: it is served no more."""
        self._mirrors.pop(resource, None)
        if task := self._tasks.pop(resource, None):
            task.cancel()

    def mirrors(self) -> Iterable[Mirror]:
        """All of them."""
        return list(self._mirrors.values())

    async def start(self, supervisor: Supervisor) -> None:
        """Follow everything as tasks of ``supervisor``; returns once all mirrors are filled."""
        self._supervisor = supervisor
        for resource in self._mirrors:
            self._follow(resource)
        for mirror in self.mirrors():
            await mirror.synced.wait()

    def _follow(self, resource: Resource) -> None:
        if self._supervisor is not None:
            work = self._mirrors[resource].run()
            self._tasks[resource] = self._supervisor.start(f"mirror of {resource.plural}", work)

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create it; raises AlreadyExists."""
        created = await self.api.create(resource, obj["metadata"].get("namespace", ""), obj)
        self.mirror(resource).wrote(created)
        return created

    async def patch(self, resource: Resource, obj: Object, patch: Object) -> Object:
        """Merge ``patch`` into it, if it is still the same object; raises NotFound or Conflict."""
        meta = {**patch.get("metadata", {}), "uid": uid_of(obj)}
        patched = await self.api.patch(resource, key_of(obj), {**patch, "metadata": meta})
        self.mirror(resource).wrote(patched)
        return patched

    async def write_status(self, resource: Resource, obj: Object, status: Object) -> Object:
        """Replace its status unless it is that already; raises Conflict if the object has changed since."""
        if status_of(obj) == status:
            return obj
        written = await self.api.update(resource, {**obj, "status": status}, subresource="status")
        self.mirror(resource).wrote(written)
        return written

    async def delete(self, resource: Resource, obj: Object) -> None:
        """Delete that very object; being late is no error."""
        try:
            await self.api.delete(resource, key_of(obj), uid=uid_of(obj))
        except (NotFound, Conflict):
            return
        self.mirror(resource).deleted(obj)

    async def exists(self, resource: Resource, key: ObjectKey, uid: str) -> bool:
        """True if that very object is there: asked of the server, not of the mirror."""
        try:
            return uid_of(await self.api.get(resource, key)) == uid
        except NotFound:
            return False

    async def ensure(self, resource: Resource, obj: Object) -> None:
        """Create it unless one of that name is there."""
        try:
            await self.create(resource, obj)
        except AlreadyExists:
            return
