"""Server-side apply and the book-keeping of managedFields. Pure: objects in, a new object out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiop.sim.semantics import fieldset
from aiop.sim.semantics.errors import ApplyConflict
from aiop.sim.semantics.fieldset import MISSING, FieldSet, Path
from aiop.sim.semantics.typeschema import TypeSchema

Object = dict[str, Any]

# What the server keeps itself and nobody owns.
_UNOWNED: tuple[Path, ...] = (
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata", "f:name"),
    ("f:metadata", "f:namespace"),
    ("f:metadata", "f:creationTimestamp"),
    ("f:metadata", "f:deletionTimestamp"),
    ("f:metadata", "f:deletionGracePeriodSeconds"),
    ("f:metadata", "f:generation"),
    ("f:metadata", "f:resourceVersion"),
    ("f:metadata", "f:selfLink"),
    ("f:metadata", "f:uid"),
    ("f:metadata", "f:managedFields"),
)


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of managedFields."""

    name: str
    operation: str
    api_version: str
    time: str
    subresource: str
    fields: FieldSet

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it the same entry."""
        return (self.name, self.operation, self.subresource, self.api_version)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: the field manager, the door it comes through, and when."""

    manager: str
    api_version: str
    subresource: str
    moment: str


def managers_of(obj: Object) -> list[Manager]:
    """The entries of an object's managedFields."""
    return [
        Manager(
            name=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            api_version=entry.get("apiVersion", ""),
            time=entry.get("time", ""),
            subresource=entry.get("subresource", ""),
            fields=fieldset.decode(entry.get("fieldsV1") or {}),
        )
        for entry in obj["metadata"].get("managedFields") or []
    ]


def with_managers(obj: Object, managers: Sequence[Manager]) -> Object:
    """``obj`` with these entries: applies first, then by time, as the server sorts them."""
    entries = [_entry(manager) for manager in sorted(managers, key=_order) if manager.fields]
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**obj, "metadata": metadata}


def applied(live: Object, config: Object, schema: TypeSchema, actor: Actor, *, force: bool) -> Object:
    """``live`` after an apply of ``config``; raises ApplyConflict unless ``force``."""
    claimed = fieldset.without(frozenset(fieldset.fields_of(config, schema)), _UNOWNED)
    managers = managers_of(live)
    mine = next((each for each in managers if _same(each, actor, "Apply")), None)
    others = [each for each in managers if each is not mine]
    conflicts = _conflicts(live, config, schema, claimed, others)
    if conflicts and not force:
        raise ApplyConflict([(manager.name, fieldset.shown(path)) for manager, path in conflicts])
    others = [_letting_go(each, [path for manager, path in conflicts if manager is each]) for each in others]
    merged = _merged(live, config, schema)
    if mine is not None:
        merged = _dropped(merged, schema, mine.fields - claimed, [*others])
    entry = Manager(actor.manager, "Apply", actor.api_version, actor.moment, actor.subresource, claimed)
    if mine is not None and mine.fields == claimed:
        entry = mine
    remaining = [_existing(each, merged, schema) for each in others]
    return with_managers(merged, [entry, *remaining])


def updated(old: Object | None, new: Object, schema: TypeSchema, actor: Actor) -> Object:
    """``new`` with its managedFields after an ordinary write by ``actor``."""
    if new["metadata"].get("managedFields") in ([{}], []):
        return with_managers(new, [])
    before = old or {"metadata": {}}
    managers = managers_of(before)
    changed = fieldset.without(frozenset(fieldset.changed_fields(_bare(before), _bare(new), schema)), _UNOWNED)
    own = next((each for each in managers if _same(each, actor, "Update")), None)
    others = [replace(each, fields=each.fields - changed) for each in managers if each is not own]
    fields = changed | (own.fields if own else frozenset())
    time = actor.moment if changed or own is None else own.time
    mine = Manager(actor.manager, "Update", actor.api_version, time, actor.subresource, fields)
    return with_managers(new, [_existing(each, new, schema) for each in (*others, mine)])


def _bare(obj: Object) -> Object:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": metadata}


def _entry(manager: Manager) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldset.encode(manager.fields),
    }
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})


def _order(manager: Manager) -> tuple[bool, str, str]:
    return (manager.operation != "Apply", manager.time, manager.name)


def _same(manager: Manager, actor: Actor, operation: str) -> bool:
    wanted = (actor.manager, operation, actor.subresource)
    return (manager.name, manager.operation, manager.subresource) == wanted


def _letting_go(manager: Manager, lost: Sequence[Path]) -> Manager:
    return replace(manager, fields=manager.fields - frozenset(lost)) if lost else manager


def _existing(manager: Manager, obj: Object, schema: TypeSchema) -> Manager:
    """The manager without fields that are no longer there."""
    kept = frozenset(path for path in manager.fields if fieldset.value_at(obj, path, schema) is not MISSING)
    return manager if kept == manager.fields else replace(manager, fields=kept)


def _conflicts(
    live: Object, config: Object, schema: TypeSchema, claimed: FieldSet, others: Sequence[Manager]
) -> list[tuple[Manager, Path]]:
    found = []
    for manager in others:
        for path in sorted(claimed & manager.fields):
            wanted = fieldset.value_at(config, path, schema)
            current = fieldset.value_at(live, path, schema)
            leaf = not (isinstance(wanted, dict) and wanted and path[-1][:2] in {"k:", "f:"}) or _atomic(path, schema)
            if leaf and current is not MISSING and wanted != current:
                found.append((manager, path))
    return found


def _atomic(path: Path, schema: TypeSchema | None) -> bool:
    for element in path:
        schema = None if schema is None else schema.field(element[2:]) if element[:2] == "f:" else schema.items
    return schema is None or schema.atomic


def _merged(live: Any, config: Any, schema: TypeSchema | None) -> Any:
    if schema is None or schema.atomic or live is None:
        return config
    if isinstance(config, dict) and isinstance(live, dict):
        merged = dict(live)
        for name, value in config.items():
            known = live.get(name)
            merged[name] = value if name not in live else _merged(known, value, schema.field(name))
        return merged
    if isinstance(config, list) and isinstance(live, list):
        return _merged_list(live, config, schema)
    return config


def _merged_list(live: list[Any], config: list[Any], schema: TypeSchema) -> list[Any]:
    wanted = {fieldset.element_of(item, schema): item for item in config}
    merged = []
    for item in live:
        element = fieldset.element_of(item, schema)
        if element in wanted:
            other = wanted.pop(element)
            merged.append(_merged(item, other, schema.items) if isinstance(item, dict) else item)
        else:
            merged.append(item)
    return [*merged, *wanted.values()]


def _dropped(obj: Object, schema: TypeSchema, gone: FieldSet, others: Sequence[Manager]) -> Object:
    """``obj`` without the fields that only their leaving owner had."""
    owned: FieldSet = frozenset().union(*(each.fields for each in others))
    for path in sorted(gone, key=len):  # an item goes as a whole before its keys could
        if any(other[: len(path)] == path for other in owned):
            continue
        obj = _removed(obj, path, schema)
    return obj


def _removed(value: Any, path: Path, schema: TypeSchema | None) -> Any:
    """``value`` without what is at ``path``; a map that this empties goes too."""
    element, rest = path[0], path[1:]
    if element.startswith("f:"):
        name = element[2:]
        if not isinstance(value, Mapping) or name not in value:
            return value
        result = {key: child for key, child in value.items() if key != name}
        if rest:
            child = _removed(value[name], rest, schema.field(name) if schema else None)
            if child not in ({}, []) or value[name] in ({}, []):
                result[name] = child
        return result
    kept = []
    for item in value or []:
        if schema is None or fieldset.element_of(item, schema) != element:
            kept.append(item)
        elif rest:
            kept.append(_removed(item, rest, schema.items))
    return kept
