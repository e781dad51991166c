"""Namespaces: each gets its default ServiceAccount; a terminating one is emptied, then finalized."""

from collections.abc import Iterable

from aiop.runtime.client.builtin import CONFIGMAPS, NAMESPACES, SERVICEACCOUNTS
from aiop.runtime.client.errors import NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import finalizers_of, key_of, phase_of, status_of, terminating, with_condition
from aiop.sim.cluster.world import World

_ROOT_CA = "kube-root-ca.crt"
_FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class Namespaces:
    """Reconciles every Namespace. It empties what the World mirrors; the garbage collector mirrors all kinds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._namespaces = world.mirror(NAMESPACES)
        self._accounts = world.mirror(SERVICEACCOUNTS)
        self._maps = world.mirror(CONFIGMAPS)
        self._watched: set[int] = set()
        self.loop = Loop(world.clock, self._reconcile)
        self._namespaces.subscribe(self._namespace_changed)
        for mirror in (self._accounts, self._maps):
            mirror.subscribe(self._content_changed)

    def _namespace_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _content_changed(self, old: Object | None, new: Object | None) -> None:
        """Something that must be there is gone, or something that delays the end of its namespace changed."""
        each = new or old
        if each is None:
            return
        namespace = self._namespaces.get(ObjectKey("", each["metadata"].get("namespace", "")))
        if namespace is not None and (new is None or terminating(namespace)):
            self.loop.add(key_of(namespace))

    async def _reconcile(self, key: ObjectKey) -> None:
        namespace = self._namespaces.get(key)
        if namespace is None:
            return
        if terminating(namespace) or phase_of(namespace) == "Terminating":
            await self._empty(namespace)
        else:
            await self._furnish(key.name)

    async def _furnish(self, name: str) -> None:
        if self._accounts.get(ObjectKey(name, "default")) is None:
            meta = {"name": "default", "namespace": name}
            await self._world.ensure(SERVICEACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        if self._maps.get(ObjectKey(name, _ROOT_CA)) is None:
            meta = {"name": _ROOT_CA, "namespace": name}
            manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": ""}}
            await self._world.ensure(CONFIGMAPS, manifest)

    async def _empty(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        for mirror in self._contents(name):
            for each in mirror.in_namespace(name):
                if not terminating(each):
                    await self._world.delete(mirror.resource, each)
        left = [(mirror, each) for mirror in self._contents(name) for each in mirror.in_namespace(name)]
        namespace = await self._report(namespace, left)
        if not left:
            try:
                await self._world.api.update(NAMESPACES, namespace, subresource="finalize")
            except NotFound:
                return

    def _contents(self, name: str) -> Iterable[Mirror]:
        """The mirrors that hold something in the namespace; each tells us of changes from now on."""
        for mirror in self._world.mirrors():
            if mirror.resource.namespaced and mirror.in_namespace(name):
                if id(mirror) not in self._watched and mirror not in (self._accounts, self._maps):
                    self._watched.add(id(mirror))
                    mirror.subscribe(self._content_changed)
                yield mirror

    async def _report(self, namespace: Object, left: list[tuple[Mirror, Object]]) -> Object:
        conditions = status_of(namespace).get("conditions") or []
        said = [(*fine, "False") for fine in _FINE] + _remaining(left)
        for kind, reason, message, status in said:
            each = {"type": kind, "status": status, "reason": reason, "message": message}
            conditions = with_condition(conditions, each, self._world.moment)
        wanted = {"phase": "Terminating", "conditions": conditions}
        return await self._world.write_status(NAMESPACES, namespace, wanted)


def _remaining(left: list[tuple[Mirror, Object]]) -> list[tuple[str, str, str, str]]:
    content, finalizers = "NamespaceContentRemaining", "NamespaceFinalizersRemaining"
    if not left:
        return [
            (content, "ContentRemoved", "All content successfully removed", "False"),
            (finalizers, "ContentHasNoFinalizers", "All content-preserving finalizers finished", "False"),
        ]
    kinds = _counted(_plural(mirror) for mirror, _ in left)
    words = ", ".join(f"{kind} has {number} resource instances" for kind, number in kinds)
    held = _counted(finalizer for _, each in left for finalizer in finalizers_of(each))
    said = [(content, "SomeResourcesRemain", f"Some resources are remaining: {words}", "True")]
    if not held:
        return [*said, (finalizers, "ContentHasNoFinalizers", "All content-preserving finalizers finished", "False")]
    words = ", ".join(f"{finalizer} in {number} resource instances" for finalizer, number in held)
    return [
        *said,
        (
            finalizers,
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {words}",
            "True",
        ),
    ]


def _plural(mirror: Mirror) -> str:
    resource = mirror.resource
    return f"{resource.plural}.{resource.group}"


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    numbers: dict[str, int] = {}
    for name in names:
        numbers[name] = numbers.get(name, 0) + 1
    return sorted(numbers.items())
