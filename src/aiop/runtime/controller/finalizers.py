"""A finalizer of ours: borne by an object before anything outside is made for it, and let go after all of it is gone.

Promised: it is added to living objects only; cleanup comes before removal; the finalizers of others stay as they are,
in their order; each change is bound to the very object and version that was read. Not promised: that cleanup runs
once. It runs until it succeeds and its removal is stored, so it must bear repetition.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.informer.informer import Informer
from aiop.runtime.views.meta import ObjectMeta, ObjectView

# The API server refuses (or, for built-in kinds, deprecates) a finalizer without a domain: `example.com/name`.
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DOMAIN_CHARACTERS, _NAME_CHARACTERS = 253, 63
# Conflicts in a row after which the pass is left to the controller's own back-off.
_TRIES = 5

Finalizers = tuple[str, ...]


def plan_addition(meta: ObjectMeta, name: str) -> Finalizers | None:
    """The finalizers to store so that ``name`` is among them; None if nothing is to be done, or nothing may be."""
    if meta.deletion_timestamp or name in meta.finalizers:
        return None
    return (*meta.finalizers, name)


def plan_removal(meta: ObjectMeta, name: str) -> Finalizers | None:
    """The finalizers to store so that ``name`` is not among them; None if it is not."""
    if name not in meta.finalizers:
        return None
    return tuple(each for each in meta.finalizers if each != name)


class Finalizer:
    """One finalizer on the objects of one kind, which ``informer`` caches. Raises ValueError for a bad ``name``."""

    def __init__(
        self, client: Client, informer: Informer[Any], resource: Resource, name: str, *, field_manager: str
    ) -> None:
        _check(name)
        self.name = name
        self._client = client
        self._informer = informer
        self._resource = resource
        self._field_manager = field_manager

    async def ensure(self, live: ObjectView) -> bool:
        """True once that object bears the finalizer; False if it is dying or gone: then make nothing for it.

        Raises Conflict if others keep changing it.
        """
        stored = await self._change(live, plan_addition)
        return stored is not None and not stored.metadata.deletion_timestamp

    async def finish(self, live: ObjectView, cleanup: Callable[[], Awaitable[bool]]) -> bool:
        """For a dying object: ``cleanup`` until it says True (all is gone), then let the object go.

        True once the finalizer is gone; it stays when ``cleanup`` says False or raises. Raises Conflict if others keep
        changing the object.
        """
        if self.name not in live.metadata.finalizers:
            return True
        if not await cleanup():
            return False
        await self._change(live, plan_removal)
        return True

    async def _change(
        self, live: ObjectView, plan: Callable[[ObjectMeta, str], Finalizers | None]
    ) -> ObjectView | None:
        """The object as it is after the change, planned anew at each conflict; None if it is gone."""
        uid = live.metadata.uid
        for _ in range(_TRIES):
            wanted = plan(live.metadata, self.name)
            if wanted is None:
                return live
            try:
                return await self._store(live.metadata, wanted)
            except NotFound:
                return None
            except Conflict:
                fresh = await self._read(live.metadata)
            if fresh is None or fresh.metadata.uid != uid:
                return None
            live = fresh
        raise Conflict(409, "Conflict", f"{self._resource.kind} {live.metadata.name} changes faster than it is read")

    async def _store(self, meta: ObjectMeta, wanted: Finalizers) -> ObjectView:
        preconditions = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        patch = {"metadata": {**preconditions, "finalizers": list(wanted)}}
        data = await self._client.patch(
            self._resource, _key(meta), patch, patch_type=PatchType.MERGE, field_manager=self._field_manager
        )
        view: ObjectView = self._informer.written(data)
        return view

    async def _read(self, meta: ObjectMeta) -> ObjectView | None:
        try:
            view: ObjectView = self._informer.written(await self._client.get(self._resource, _key(meta)))
        except NotFound:
            return None
        return view


def _key(meta: ObjectMeta) -> ObjectKey:
    return ObjectKey(meta.namespace, meta.name)


def _check(name: str) -> None:
    domain, _, rest = name.partition("/")
    if not (
        _DOMAIN.fullmatch(domain)
        and len(domain) <= _DOMAIN_CHARACTERS
        and _NAME.fullmatch(rest)
        and len(rest) <= _NAME_CHARACTERS
    ):
        message = f"{name!r} is no finalizer of the form example.com/name"
        raise ValueError(message)
