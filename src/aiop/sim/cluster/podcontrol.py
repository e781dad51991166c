"""Which pods (or ReplicaSets) a controller controls: its own, plus orphans that its selector fits, minus strangers."""

from collections.abc import Callable, Mapping

from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import Resource
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import (
    controlled_by,
    controller_of,
    labels_of,
    owner_reference,
    owners_of,
    terminating,
    uid_of,
)
from aiop.sim.cluster.world import World

Fits = Callable[[Mapping[str, str]], bool]


async def claimed(world: World, resource: Resource, owner: Object, fits: Fits) -> list[Object]:
    """The objects that ``owner`` controls, after adopting and releasing what is to be.

    Nothing is adopted by an owner that is terminating, and nothing that is terminating is adopted or released.
    """
    mirror = world.mirror(resource)
    namespace = owner["metadata"]["namespace"]
    kept = []
    for item in mirror.owned_by(uid_of(owner)):
        if not controlled_by(item, uid_of(owner)):
            continue
        if fits(labels_of(item)) or terminating(item):
            kept.append(item)
        else:
            await _release(world, resource, item, owner)
    if not terminating(owner):
        kept += await _adopted(
            world, resource, owner, [each for each in mirror.in_namespace(namespace) if _may_adopt(each, fits)]
        )
    return kept


def _may_adopt(item: Object, fits: Fits) -> bool:
    return controller_of(item) is None and not terminating(item) and fits(labels_of(item))


async def _adopted(world: World, resource: Resource, owner: Object, orphans: list[Object]) -> list[Object]:
    adopted = []
    for item in orphans:
        references = [*owners_of(item), owner_reference(owner)]
        try:
            adopted.append(await world.patch(resource, item, {"metadata": {"ownerReferences": references}}))
        except (NotFound, Conflict):
            continue
    return adopted


async def _release(world: World, resource: Resource, item: Object, owner: Object) -> None:
    references = [each for each in owners_of(item) if each["uid"] != uid_of(owner)]
    try:
        await world.patch(resource, item, {"metadata": {"ownerReferences": references}})
    except (NotFound, Conflict):
        return
