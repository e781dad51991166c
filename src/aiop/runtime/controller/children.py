"""Children of an object: created by POST, changed by server-side apply, and left alone when they say what we want.

A POST of a name that exists is a 409, so nothing foreign is ever adopted. An object that was POSTed belongs to an
`Update` entry in managedFields; before its first apply that entry is turned into ours, or fields that we later drop
would linger (kubernetes#99003).

A ControllerRevision's data never change, and the API server compares them to the letter, after a patch has written them
anew in Go's manner: with <, > and & escaped, and the keys of every object in order. (A strategic merge patch orders
them, such as the one by which the garbage collector takes an ownerReference away; other patches leave the order.) So
they are sent that way in the first place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import AlreadyExists, Conflict, Invalid, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.drift import intent_hash, says
from aiop.runtime.informer.informer import Informer
from aiop.runtime.views.meta import ObjectView
from aiop.runtime.views.owned import Owned, Revision

# A prefix of its own, since several operators may stand on this runtime.
INTENT_ANNOTATION = "controller-runtime.geartickler.com/intent"


# What Go's JSON encoder does not leave as it is; in JSON these stand in texts only.
_GO_ESCAPES = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
}
_ESCAPED = tuple(_GO_ESCAPES.values())


class Outcome(Enum):
    """What became of one child in this pass."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    CHANGED = "changed"
    WAITING = "waiting"  # the old object of that name is still on its way out
    FOREIGN = "foreign"  # somebody else's object has the name


@dataclass(frozen=True, slots=True)
class Child:
    """What we want of one child: the whole body but for what the writer adds (ownerReference, intent)."""

    resource: Resource
    key: ObjectKey
    body: Mapping[str, Any]

    @property
    def content(self) -> Any:
        """What is compared with the live object's content: its spec, or a ControllerRevision's data."""
        return self.body.get("spec", self.body.get("data", {}))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose child it is."""

    api_version: str
    kind: str
    name: str
    uid: str

    def reference(self) -> dict[str, object]:
        """The controlling ownerReference; deletion of the owner in the foreground waits for the child."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


class ChildWriter:
    """Writes the children of one kind of resource, and tells its informer what it wrote."""

    def __init__(self, client: Client, informer: Informer[Any], resource: Resource, field_manager: str) -> None:
        self._client = client
        self._informer = informer
        self._resource = resource
        self._field_manager = field_manager

    async def ensure(self, child: Child, owner: Owner) -> Outcome:
        """Bring the child to what is wanted with as few calls as it takes: none if it is so already."""
        live = self._informer.store.get(child.key)
        if live is None:
            return await self._create(child, owner)
        return await self._update(child, owner, live)

    async def delete(self, key: ObjectKey, uid: str) -> None:
        """Delete that very object as the cache shows it; that it is gone already, replaced or changed is fine.

        What changed it wakes the owner, who then decides anew.
        """
        live = self._informer.store.get(key)
        seen = live.metadata.resource_version if live is not None and live.metadata.uid == uid else None
        try:
            await self._client.delete(self._resource, key, uid=uid, resource_version=seen)
        except (NotFound, Conflict):
            return
        self._informer.deleted(key, uid)

    async def _create(self, child: Child, owner: Owner) -> Outcome:
        body = _as_go_writes(self._body(child, owner))
        try:
            data = await self._client.create(
                self._resource, child.key.namespace, body, field_manager=self._field_manager
            )
        except AlreadyExists:
            return await self._meet(child, owner)
        self._informer.written(data)
        return Outcome.CREATED

    async def _meet(self, child: Child, owner: Owner) -> Outcome:
        """The name is taken: by our own child that the cache does not show, by its remains, or by a stranger."""
        try:
            view = self._informer.written(await self._client.get(self._resource, child.key))
        except NotFound:
            return Outcome.WAITING
        return await self._update(child, owner, view)

    async def _update(self, child: Child, owner: Owner, live: ObjectView) -> Outcome:
        controller = live.metadata.controller()
        if controller is None or controller.uid != owner.uid:
            return Outcome.FOREIGN
        if live.metadata.deletion_timestamp:
            return Outcome.WAITING
        if isinstance(live, Revision):
            return await self._renumber(child, owner, live)
        return await self._change(child, owner, live) if isinstance(live, Owned) else Outcome.UNCHANGED

    async def _renumber(self, child: Child, owner: Owner, live: Revision) -> Outcome:
        """A ControllerRevision's data never change; its number grows when it is used again.

        One whose data were not sent escaped takes no patch: it is made anew.
        """
        number, wanted = child.body.get("revision"), child.body.get("metadata", {})
        meta = {part: dict(wanted.get(part, {})) for part in ("labels", "annotations")}
        labels, annotations = live.metadata.labels, live.metadata.annotations
        if live.revision == number and says(labels, meta["labels"]) and says(annotations, meta["annotations"]):
            return Outcome.UNCHANGED
        patch = {"metadata": {"uid": live.metadata.uid, **meta}, "revision": number}
        try:
            data = await self._client.patch(
                self._resource, child.key, patch, patch_type=PatchType.MERGE, field_manager=self._field_manager
            )
        except (Conflict, NotFound):
            return Outcome.WAITING
        except Invalid:
            if not any(letter in live.data for letter in _ESCAPED):
                raise
            await self.delete(child.key, live.metadata.uid)
            return await self._create(child, owner)
        self._informer.written(data)
        return Outcome.CHANGED

    async def _change(self, child: Child, owner: Owner, live: Owned) -> Outcome:
        body = self._body(child, owner)
        if self._satisfied(live, body, child):
            return Outcome.UNCHANGED
        try:
            live = await self._own_by_apply(child.key, live)
            body["metadata"] |= {"uid": live.metadata.uid, "resourceVersion": live.metadata.resource_version}
            data = await self._client.apply(self._resource, child.key, body, field_manager=self._field_manager)
            view = self._informer.written(data)
            if isinstance(view, Owned) and not self._satisfied(view, body, child):
                self._informer.written(await self._take_back(child, view))
        except (Conflict, NotFound):
            return Outcome.WAITING  # it changed or went away under our hands; the watch will tell
        return Outcome.CHANGED

    async def _take_back(self, child: Child, live: Owned) -> bytes:
        """Apply leaves what others added to lists (a sidecar, say); a merge patch sets the lists whole."""
        meta = live.metadata
        wanted = {name: value for name, value in child.body.items() if name != "metadata"}
        patch = {"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version}, **wanted}
        return await self._client.patch(
            self._resource, child.key, patch, patch_type=PatchType.MERGE, field_manager=self._field_manager
        )

    def _satisfied(self, live: Owned, body: Mapping[str, Any], child: Child) -> bool:
        wanted = body["metadata"]
        return (
            live.metadata.annotations.get(INTENT_ANNOTATION) == wanted["annotations"][INTENT_ANNOTATION]
            and says(live.metadata.labels, wanted["labels"])
            and says(live.metadata.annotations, wanted["annotations"])
            and says(msgspec.json.decode(live.content), child.content)
        )

    async def _own_by_apply(self, key: ObjectKey, live: Owned) -> Owned:
        """Turn the entry that our POST left in managedFields into one of apply, once."""
        ours = [
            (index, entry)
            for index, entry in enumerate(live.managed_fields)
            if entry.manager == self._field_manager and not entry.subresource
        ]
        updates = [index for index, entry in ours if entry.operation == "Update"]
        if not updates or len(ours) > 1:
            return live
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": live.metadata.resource_version},
            {"op": "replace", "path": f"/metadata/managedFields/{updates[0]}/operation", "value": "Apply"},
        ]
        try:
            data = await self._client.patch(
                self._resource, key, patch, patch_type=PatchType.JSON, field_manager=self._field_manager
            )
        except Invalid as error:  # how the server says that a `test` failed: the object is newer than our view of it
            raise Conflict(error.status, error.reason, error.message) from error
        view = self._informer.written(data)
        return view if isinstance(view, Owned) else live

    def _body(self, child: Child, owner: Owner) -> dict[str, Any]:
        metadata = dict(child.body.get("metadata", {}))
        annotations = dict(metadata.get("annotations", {}))
        annotations[INTENT_ANNOTATION] = intent_hash(child.body)
        metadata |= {
            "name": child.key.name,
            "namespace": child.key.namespace,
            "labels": dict(metadata.get("labels", {})),
            "annotations": annotations,
            "ownerReferences": [owner.reference()],
        }
        head = {"apiVersion": self._resource.api_version, "kind": self._resource.kind}
        return {**head, **child.body, "metadata": metadata}


def _as_go_writes(body: Mapping[str, Any]) -> bytes:
    """The same JSON, as the API server would write it."""
    data = msgspec.json.encode(body, order="sorted")
    for letter, escape in _GO_ESCAPES.items():
        data = data.replace(letter, escape)
    return data
