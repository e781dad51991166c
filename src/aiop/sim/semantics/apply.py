"""Server-side apply and the book-keeping of managedFields. Pure: objects in, a new object out.

Ownership follows the real server: an update owns what it added or changed, an apply owns what its configuration
says, and what an applier no longer says goes away unless somebody else owns it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiop.sim.semantics import fieldset
from aiop.sim.semantics.compare import Comparison, compared
from aiop.sim.semantics.configuration import configuration_faults
from aiop.sim.semantics.errors import ApplyConflict, UntypedConfiguration
from aiop.sim.semantics.fieldset import FieldSet, Path
from aiop.sim.semantics.managers import (
    APPLY,
    UPDATE,
    Identity,
    Manager,
    managers_of,
    with_managers,
    without_managers,
)
from aiop.sim.semantics.merging import merged
from aiop.sim.semantics.typeschema import TypeSchema

Object = dict[str, Any]
_Managers = dict[Identity, Manager]

# What the server keeps itself and nobody owns.
_UNOWNED: FieldSet = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
            "resourceVersion", "selfLink", "uid", "managedFields",
        )
    }
)  # fmt: skip
# Owner of everything that stood in an object that nobody's ownership was recorded for, when an apply comes.
_BEFORE_FIRST_APPLY = "before-first-apply"
# Structs that the server's own types contain even when empty, so that no write adds them.
_ALWAYS_THERE = frozenset({"metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: the field manager, the door it comes through, and when."""

    manager: str
    api_version: str
    subresource: str
    moment: str


def applied(live: Object, config: Object, schema: TypeSchema, actor: Actor, *, force: bool) -> Object:
    """``live`` after an apply of ``config``; one without metadata.uid is about to be created.

    Raises ApplyConflict if others own what would change, unless ``force``; UntypedConfiguration if the
    configuration does not fit the schema. An apply that changes nothing gives back what it got.
    """
    _check_typed(config, schema, actor)
    managers = {each.identity: each for each in managers_of(live)}
    bare = without_managers(live)
    if not managers:
        managers = _written({}, empty_object(schema), bare, schema, replace(actor, manager=_BEFORE_FIRST_APPLY))
    mine = Manager(actor.manager, APPLY, actor.api_version, "", actor.subresource, fieldset.fields_of(config, schema))
    last = managers.get(mine.identity)
    managers[mine.identity] = replace(mine, time=last.time if last else "")
    result = merged(bare, config, schema)
    if last is not None and last.fields:
        result = _pruned(result, last.fields, managers, schema)
    result = without_nulls(result) if schema.name else result
    comparison = compared(bare, result, schema)
    conflicts = _conflicts(managers, mine.identity, comparison)
    if conflicts and not force:
        raise ApplyConflict([(manager.label, fieldset.shown(path)) for manager, path in conflicts])
    managers = _taken_over(managers, comparison, keep=mine.identity)
    owner = managers[mine.identity]
    # The order of a list may differ where its parts do not.
    time = owner.time if result == bare else actor.moment
    managers[mine.identity] = replace(owner, time=time, fields=owner.fields - _UNOWNED)
    return with_managers(result, managers.values())


def updated(old: Object | None, new: Object, schema: TypeSchema, actor: Actor) -> Object:
    """``new`` with its managedFields after an ordinary write by ``actor``; ``old`` is None for a creation.

    Entries that the writer sends replace those of ``old``; [{}] drops them all, [] and none change nothing. An
    object whose ownership is not recorded stays so until an apply.
    """
    asked = (new.get("metadata") or {}).get("managedFields")
    if asked == [{}]:
        return without_managers(new)
    entries = managers_of(new) or managers_of(old or {})
    bare = without_managers(new)
    if old is not None and not entries:
        return bare
    before = empty_object(schema) if old is None else without_managers(old)
    managers = {each.identity: each for each in entries}
    return with_managers(bare, _written(managers, before, bare, schema, actor).values())


def empty_object(schema: TypeSchema) -> Object:
    """What the server compares a creation with: of a built-in kind the structs that are always there."""
    return _empty_struct(schema) if schema.name else {}


def without_nulls(value: Any) -> Any:
    """``value`` as the server's own types keep it: null is the same as absent."""
    if isinstance(value, Mapping):
        return {name: without_nulls(child) for name, child in value.items() if child is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _check_typed(config: Object, schema: TypeSchema, actor: Actor) -> None:
    faults = configuration_faults(config, schema)
    if not faults:
        return
    metadata = config.get("metadata") or {}
    listed = faults[0] if len(faults) == 1 else "errors:\n" + "\n".join(f"  {fault}" for fault in faults)
    group_version = config.get("apiVersion", actor.api_version)
    about = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {group_version}, Kind={config.get('kind')}"
    raise UntypedConfiguration(f"failed to create typed patch object ({about}): {listed}")


def _empty_struct(schema: TypeSchema) -> Object:
    empty: Object = {}
    required = schema.raw.get("required", ())
    for name, raw in schema.declared.items():
        if name in _ALWAYS_THERE and "$ref" in raw:
            field = schema.field(name)
            empty[name] = _empty_struct(field) if field is not None else {}
        elif name in required and "array" in raw.get("type", ()):
            empty[name] = None
    return empty


def _written(managers: _Managers, old: Object, new: Object, schema: TypeSchema, actor: Actor) -> _Managers:
    """The entries after an update from ``old`` to ``new``."""
    comparison = compared(old, new, schema)
    result = _taken_over(managers, comparison)
    fields = comparison.written - _UNOWNED
    if schema.name and not actor.subresource and not old.get("metadata"):
        # Built-in kinds begin with a status of the server's own.
        fields = frozenset(path for path in fields if path[0] != "f:status")
    if fields:
        mine = Manager(actor.manager, UPDATE, actor.api_version, actor.moment, actor.subresource, fields)
        known = result.get(mine.identity)
        result[mine.identity] = replace(mine, fields=fields | known.fields) if known is not None else mine
    return result


def _taken_over(managers: _Managers, comparison: Comparison, keep: Identity | None = None) -> _Managers:
    """The entries without what was written or went; that of ``keep`` stays."""
    lost = comparison.written | comparison.removed
    return {identity: manager if identity == keep else manager.losing(lost) for identity, manager in managers.items()}


def _conflicts(managers: _Managers, mine: Identity, comparison: Comparison) -> list[tuple[Manager, Path]]:
    others = sorted((each for each in managers.values() if each.identity != mine), key=lambda each: each.identity)
    written = comparison.written
    return [(each, path) for each in others for path in fieldset.in_order(each.fields & written)]


def _pruned(result: Object, last: FieldSet, managers: _Managers, schema: TypeSchema) -> Object:
    """``result`` without what the applier said last time and nobody says now."""
    said = fieldset.with_named_parents(last, schema)
    everything = fieldset.with_named_parents(fieldset.fields_of(result, schema), schema)
    owned: FieldSet = frozenset().union(*(each.fields for each in managers.values()))
    left = _remaining(fieldset.without_items(result, said, schema), schema)
    back = left | fieldset.with_named_parents(owned, schema)
    left = _remaining(fieldset.without_items(result, everything - back, schema), schema)
    pruned = fieldset.without_items(result, (everything - left) & said, schema)
    return pruned if isinstance(pruned, dict) else {}


def _remaining(value: Any, schema: TypeSchema) -> FieldSet:
    return fieldset.with_named_parents(fieldset.fields_of(value, schema), schema)
