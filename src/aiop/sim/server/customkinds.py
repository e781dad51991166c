"""CustomResourceDefinitions at work: a kind is served once its definition is stored, and gone with it."""

from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.server.kinds import Kinds
from aiop.sim.storage.store import Store

Object = dict[str, Any]

_BUCKET = "apiextensions.k8s.io/customresourcedefinitions"


class CustomKinds:
    """Keeps the served kinds in step with the stored definitions."""

    def __init__(self, store: Store, kinds: Kinds) -> None:
        self._store = store
        self._kinds = kinds

    def noticed(self, definition: Object) -> Object:
        """A definition was written: serve it and say so in its status; returns it as it stands then."""
        self._kinds.define(definition)
        if definition.get("status", {}).get("acceptedNames"):
            return definition
        moment = definition["metadata"]["creationTimestamp"]
        conditions = [
            {
                "type": kind,
                "status": "True",
                "reason": reason,
                "message": message,
                "lastTransitionTime": moment,
            }
            for kind, reason, message in (
                ("NamesAccepted", "NoConflicts", "no conflicts found"),
                ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            )
        ]
        status = {
            "conditions": conditions,
            "acceptedNames": definition["spec"]["names"],
            "storedVersions": [each["name"] for each in definition["spec"]["versions"] if each.get("storage")],
        }
        key = ObjectKey("", definition["metadata"]["name"])
        return self._store.put(_BUCKET, key, {**definition, "status": status}).obj

    def gone(self, definition: Object) -> None:
        """A definition was deleted: its objects go too, its watches end, and nothing of it is served."""
        for kind in self._kinds.withdraw(definition):
            for stored in self._store.items(kind.bucket):
                meta = stored.obj["metadata"]
                self._store.remove(kind.bucket, ObjectKey(meta.get("namespace", ""), meta["name"]))
            self._store.end(kind.bucket)
