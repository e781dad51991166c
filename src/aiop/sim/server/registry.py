"""The verbs on objects, without HTTP: what the server and its in-process clients share. Every verb is atomic."""

from collections.abc import Callable, Mapping
from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.semantics import apply as ssa
from aiop.sim.semantics.errors import ApplyConflict, BadSelector, FieldFault, UntypedConfiguration
from aiop.sim.semantics.selectors import field_match, label_match
from aiop.sim.server.admission import Admission
from aiop.sim.server.customkinds import CustomKinds
from aiop.sim.server.eventtwins import twin_bucket, twin_of
from aiop.sim.server.kinds import Kind, Kinds
from aiop.sim.server.refusals import (
    already_exists,
    apply_conflict,
    bad_request,
    conflict,
    invalid,
    modified,
    not_found,
    refused,
)
from aiop.sim.server.requests import DeleteOptions, WriteOptions
from aiop.sim.server.resizing import faults, resized
from aiop.sim.server.serviceaddresses import ServiceAddresses, kept
from aiop.sim.storage.store import Store, Stored

Object = dict[str, Any]
Change = Callable[[Object], Object]

_NAMESPACES = "/namespaces"
# What a client may not set; the server's own values stand.
_SYSTEM = ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp", "selfLink")
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


class Registry:
    """See the module. Raises Refused."""

    def __init__(self, store: Store, kinds: Kinds, admission: Admission, *, service_network: str = "10.96") -> None:
        self._service_network = service_network
        self.store = store
        self.kinds = kinds
        self.admission = admission
        self._custom = CustomKinds(store, kinds)
        self._addresses: ServiceAddresses | None = None

    def get(self, kind: Kind, key: ObjectKey) -> Stored:
        """One object."""
        stored = self.store.get(kind.bucket, key)
        if stored is None:
            raise not_found(kind, key.name)
        return stored

    def list(self, kind: Kind, namespace: str, labels: str = "", fields: str = "") -> list[Stored]:
        """The objects that fit, sorted by key."""
        match = matcher(kind, labels, fields)
        return [stored for stored in self.store.items(kind.bucket, namespace) if match(stored.obj)]

    def create(self, kind: Kind, namespace: str, obj: Object, options: WriteOptions) -> Object:
        """POST."""
        obj = self._addressed(kind, namespace, obj)
        key = ObjectKey(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        self._check_namespace(kind, key)
        if self.store.get(kind.bucket, key) is not None:
            raise already_exists(kind, key.name)
        fresh = self._fresh(kind, obj, options)
        actor = self._actor(kind, options, "")
        owned = ssa.updated(None, fresh, kind.schema, actor)
        return self._commit(kind, key, owned, options)

    def update(
        self, kind: Kind, key: ObjectKey, obj: Object, options: WriteOptions, *, subresource: str = ""
    ) -> Object:
        """PUT; the object's resourceVersion, if it has one, is the precondition."""
        old = self.get(kind, key).obj
        self._check_preconditions(kind, key, old, obj)
        wanted = self._combined(kind, old, obj, subresource)
        shaped = self._kept_system(old, self.admission.shaped(kind, wanted, options))
        shaped = ssa.updated(old, shaped, kind.schema, self._actor(kind, options, subresource))
        return self._replace(kind, key, old, shaped, options)

    def patch(
        self, kind: Kind, key: ObjectKey, change: Change, options: WriteOptions, *, subresource: str = ""
    ) -> Object:
        """PATCH by a function of the live object."""
        old = self.get(kind, key).obj
        new = change(old)
        for field in ("name", "namespace"):
            if new.get("metadata", {}).get(field, "") != old["metadata"].get(field, ""):
                raise bad_request(f"the {field} of the object does not match the {field} on the URL")
        if new["metadata"].get("resourceVersion") == old["metadata"]["resourceVersion"]:
            new = {**new, "metadata": {k: v for k, v in new["metadata"].items() if k != "resourceVersion"}}
        return self.update(kind, key, new, options, subresource=subresource)

    def apply(
        self, kind: Kind, key: ObjectKey, config: Object, options: WriteOptions, *, subresource: str = ""
    ) -> tuple[Object, bool]:
        """Server-side apply; (object, whether it was created)."""
        self._check_config(kind, key, config)
        actor = self._actor(kind, options, subresource)
        stored = self.store.get(kind.bucket, key)
        if stored is None:
            return self._apply_new(kind, key, config, actor, options, subresource), True
        old = stored.obj
        self._check_preconditions(kind, key, old, config)
        config = _door(config, subresource)
        merged = _merged(kind, old, config, actor, force=options.force)
        managed = merged["metadata"].get("managedFields", [])
        wanted = self._combined(kind, old, merged, subresource)
        shaped = self._kept_system(old, self.admission.shaped(kind, wanted, options))
        shaped["metadata"] = {**shaped["metadata"], **({"managedFields": managed} if managed else {})}
        return self._replace(kind, key, old, shaped, options), False

    def delete(self, kind: Kind, key: ObjectKey, options: DeleteOptions) -> tuple[Object, bool]:
        """DELETE; (last state, whether it is gone)."""
        old = self.get(kind, key).obj
        meta = old["metadata"]
        if options.uid and options.uid != meta["uid"]:
            words = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {meta['uid']}"
            raise conflict(kind, key.name, words)
        if options.version and options.version != meta["resourceVersion"]:
            words = (
                f"Precondition failed: ResourceVersion in precondition: {options.version}, "
                f"ResourceVersion in object meta: {meta['resourceVersion']}"
            )
            raise conflict(kind, key.name, words)
        if options.dry_run:
            return old, True
        return self._begin_deletion(kind, key, old, options)

    def finalize(self, kind: Kind, key: ObjectKey) -> None:
        """Remove a namespace whose contents are gone."""
        self.store.remove(kind.bucket, key)

    # -- parts -------------------------------------------------------------------------------------------------

    def _addressed(self, kind: Kind, namespace: str, obj: Object) -> Object:
        metadata = dict(obj.get("metadata") or {})
        if kind.resource.namespaced:
            if metadata.get("namespace", namespace) != namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                fault = FieldFault(
                    "metadata.name", "FieldValueRequired", "Required value: name or generateName is required"
                )
                raise invalid(kind, "", [fault])
            metadata["name"] = self.admission.generated_name(metadata["generateName"])
        return {**obj, "metadata": metadata}

    def _check_namespace(self, kind: Kind, key: ObjectKey) -> None:
        if not kind.resource.namespaced:
            return
        namespace = self.store.get(_NAMESPACES, ObjectKey("", key.namespace))
        if namespace is None:
            details = {"name": key.namespace, "kind": "namespaces"}
            raise refused(404, "NotFound", f'namespaces "{key.namespace}" not found', details=details)
        if namespace.obj["metadata"].get("deletionTimestamp"):
            words = (
                f'{kind.qualified} "{key.name}" is forbidden: unable to create new content in namespace '
                f"{key.namespace} because it is being terminated"
            )
            raise refused(403, "Forbidden", words)

    def _fresh(self, kind: Kind, obj: Object, options: WriteOptions) -> Object:
        metadata = {name: value for name, value in obj["metadata"].items() if name not in {*_SYSTEM, "managedFields"}}
        body = {**obj, "metadata": metadata}
        if kind.has_status:
            body.pop("status", None)
        shaped = self.admission.shaped(kind, body, options)
        metadata = {**shaped["metadata"], "uid": self.admission.new_uid(), "creationTimestamp": self.admission.moment()}
        if kind.generations:
            metadata["generation"] = 1
        shaped = {**shaped, "metadata": metadata}
        if kind.resource.kind == "Service":
            shaped = self._with_address(kind, shaped)
        self.admission.validate(kind, shaped, None)
        return shaped

    def _with_address(self, kind: Kind, service: Object) -> Object:
        if self._addresses is None:
            self._addresses = ServiceAddresses(self.store, kind.bucket, self._service_network)
        meta = service["metadata"]
        given = self._addresses.given(ObjectKey(meta["namespace"], meta["name"]), service)
        return _valid(kind, meta["name"], given)

    def _apply_new(
        self, kind: Kind, key: ObjectKey, config: Object, actor: ssa.Actor, options: WriteOptions, subresource: str
    ) -> Object:
        if subresource:
            raise not_found(kind, key.name)
        if config["metadata"].get("uid"):
            uid = config["metadata"]["uid"]
            words = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(kind, key.name, words)
        obj = self._addressed(kind, key.namespace, {**config, "metadata": {**config["metadata"], "name": key.name}})
        self._check_namespace(kind, key)
        empty: Object = {"metadata": {}}
        # First, as the real server has it: an undeclared field is told in the words of apply, however strict it is.
        owned = _merged(kind, empty, config, actor, force=True)
        fresh = self._fresh(kind, obj, options)
        metadata = {**fresh["metadata"], "managedFields": owned["metadata"].get("managedFields", [])}
        return self._commit(kind, key, {**fresh, "metadata": metadata}, options)

    def _check_config(self, kind: Kind, key: ObjectKey, config: Object) -> None:
        metadata = config.get("metadata") or {}
        if metadata.get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        if metadata.get("name", key.name) != key.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({key.name})"
            )
        if (config.get("apiVersion"), config.get("kind")) != (kind.resource.api_version, kind.resource.kind):
            raise bad_request("apiVersion and kind of the applied object must be those of the URL")

    def _check_preconditions(self, kind: Kind, key: ObjectKey, old: Object, new: Object) -> None:
        meta, known = new.get("metadata") or {}, old["metadata"]
        if meta.get("uid") and meta["uid"] != known["uid"]:
            words = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {known['uid']}"
            raise conflict(kind, key.name, words)
        if meta.get("resourceVersion") and meta["resourceVersion"] != known["resourceVersion"]:
            raise modified(kind, key.name)

    def _combined(self, kind: Kind, old: Object, new: Object, subresource: str) -> Object:
        """What a write through one door may change: status through its own, everything else through the main one."""
        if subresource == "status":
            combined = {**old, "status": new.get("status")}
            if combined["status"] is None:
                combined.pop("status")
            return combined
        if subresource == "resize":
            combined = resized(old, new)
            if found := faults(old, combined):
                raise invalid(kind, old["metadata"]["name"], found)
            return combined
        if kind.has_status:
            body = {name: value for name, value in new.items() if name != "status"}
            return {**body, "status": old["status"]} if "status" in old else body
        return new

    def _kept_system(self, old: Object, new: Object) -> Object:
        known = {name: value for name, value in old["metadata"].items() if name in _SYSTEM}
        ours = {name: value for name, value in new["metadata"].items() if name not in _SYSTEM}
        for name in ("name", "namespace"):
            if name in old["metadata"]:
                known[name] = old["metadata"][name]
        return {**new, "metadata": {**ours, **known}}

    def _replace(self, kind: Kind, key: ObjectKey, old: Object, new: Object, options: WriteOptions) -> Object:
        if kind.resource.kind == "Service":
            new = _valid(kind, key.name, kept(old, new))
        if _content(old) == _content(new):
            return old
        if kind.generations and _spec_of(old) != _spec_of(new):
            new = {**new, "metadata": {**new["metadata"], "generation": old["metadata"].get("generation", 0) + 1}}
        self._check_finalizers(kind, key, old, new)
        self.admission.validate(kind, new, old)
        if (
            old["metadata"].get("deletionTimestamp")
            and not new["metadata"].get("finalizers")
            and not _graceful(kind, new)
        ):
            return self._finish_deletion(kind, key, new, options)
        return self._commit(kind, key, new, options)

    def _check_finalizers(self, kind: Kind, key: ObjectKey, old: Object, new: Object) -> None:
        if not old["metadata"].get("deletionTimestamp"):
            return
        added = set(new["metadata"].get("finalizers") or []) - set(old["metadata"].get("finalizers") or [])
        if added:
            words = (
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                f"{sorted(added)}"
            )
            raise invalid(kind, key.name, [FieldFault("metadata.finalizers", "FieldValueForbidden", words)])

    def _commit(self, kind: Kind, key: ObjectKey, obj: Object, options: WriteOptions) -> Object:
        if options.dry_run:
            return obj
        stored = self.store.put(kind.bucket, key, obj).obj
        if twin := twin_bucket(kind):
            self.store.put(twin, key, twin_of(kind, stored))
        return self._custom.noticed(stored) if kind.resource.kind == "CustomResourceDefinition" else stored

    def _begin_deletion(self, kind: Kind, key: ObjectKey, old: Object, options: DeleteOptions) -> tuple[Object, bool]:
        meta = old["metadata"]
        finalizers = [each for each in meta.get("finalizers") or [] if each not in {_ORPHAN, _FOREGROUND}]
        if options.propagation == "Orphan":
            finalizers.append(_ORPHAN)
        elif options.propagation == "Foreground":
            finalizers.append(_FOREGROUND)
        elif meta.get("deletionTimestamp"):
            finalizers = list(meta.get("finalizers") or [])
        grace = _grace(kind, old, options)
        if not finalizers and not grace and kind.bucket != _NAMESPACES:
            return self._finish_deletion(kind, key, old, WriteOptions()), True
        doomed = {**meta, "deletionTimestamp": meta.get("deletionTimestamp") or self.admission.moment()}
        doomed["deletionGracePeriodSeconds"] = grace
        if finalizers:
            doomed["finalizers"] = finalizers
        new = {**old, "metadata": doomed}
        if kind.bucket == _NAMESPACES:
            new["status"] = {"phase": "Terminating"}
        if kind.generations and not meta.get("deletionTimestamp"):
            doomed["generation"] = meta.get("generation", 0) + 1
        return self.store.put(kind.bucket, key, new).obj, False

    def _finish_deletion(self, kind: Kind, key: ObjectKey, obj: Object, options: WriteOptions) -> Object:
        if options.dry_run:
            return obj
        last = self.store.remove(kind.bucket, key).obj
        if (twin := twin_bucket(kind)) and self.store.get(twin, key) is not None:
            self.store.remove(twin, key)
        if kind.resource.kind == "CustomResourceDefinition":
            self._custom.gone(obj)
        return last

    def _actor(self, kind: Kind, options: WriteOptions, subresource: str) -> ssa.Actor:
        return ssa.Actor(options.manager, kind.resource.api_version, subresource, self.admission.moment())


def _valid(kind: Kind, name: str, found: Object | FieldFault) -> Object:
    if isinstance(found, FieldFault):
        raise invalid(kind, name, [found])
    return found


def matcher(kind: Kind, labels: str, fields: str) -> Callable[[Mapping[str, Any]], bool]:
    """A function that says whether an object fits both selectors; raises Refused."""
    try:
        by_label, by_field = label_match(labels), field_match(fields, kind.resource.kind)
    except BadSelector as error:
        raise bad_request(str(error)) from error
    return lambda obj: by_label(obj) and by_field(obj)


def _merged(kind: Kind, live: Object, config: Object, actor: ssa.Actor, *, force: bool) -> Object:
    """`ssa.applied`, its errors as refusals."""
    try:
        return ssa.applied(live, config, kind.schema, actor, force=force)
    except ApplyConflict as error:
        raise apply_conflict(error) from error
    except UntypedConfiguration as error:
        raise refused(500, "", str(error)) from error


def _door(config: Object, subresource: str) -> Object:
    """The part of an applied configuration that its door lets through."""
    if subresource == "status":
        return {name: value for name, value in config.items() if name in {"apiVersion", "kind", "metadata", "status"}}
    return {name: value for name, value in config.items() if name != "status"}


def _content(obj: Object) -> Object:
    """What makes two versions differ: times of managedFields entries do not."""
    metadata = {
        name: value for name, value in obj["metadata"].items() if name not in {"resourceVersion", "managedFields"}
    }
    managed = [
        {name: value for name, value in entry.items() if name != "time"}
        for entry in obj["metadata"].get("managedFields") or []
    ]
    return {**obj, "metadata": {**metadata, "managedFields": managed}}


def _spec_of(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name not in {"metadata", "status"}}


def _graceful(kind: Kind, obj: Object) -> bool:
    """True while a dying pod waits for its kubelet."""
    return kind.resource.kind == "Pod" and bool(obj["metadata"].get("deletionGracePeriodSeconds"))


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    """Seconds that a pod on a node gets; everything else goes at once."""
    if kind.resource.kind != "Pod" or not obj["spec"].get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_seconds is not None:
        return options.grace_seconds
    return int(obj["spec"].get("terminationGracePeriodSeconds") or 0)
