"""The entries of metadata.managedFields: who owns which fields, through which door, since when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from aiop.sim.semantics import fieldset
from aiop.sim.semantics.fieldset import FieldSet

Object = dict[str, Any]
Identity = tuple[str, str, str, str]

APPLY, UPDATE = "Apply", "Update"


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of managedFields; ``time`` is empty for an apply that changed nothing but ownership."""

    name: str
    operation: str
    api_version: str
    time: str
    subresource: str
    fields: FieldSet

    @property
    def identity(self) -> Identity:
        """What makes it the same entry; an applier stays the same through versions of the API."""
        version = "" if self.operation == APPLY else self.api_version
        return (self.name, self.operation, self.subresource, version)

    @property
    def label(self) -> str:
        """How a conflict names it."""
        label = msgspec.json.encode(self.name).decode()
        if self.subresource:
            label += f' with subresource "{self.subresource}"'
        return f"{label} using {self.api_version}" if self.operation == UPDATE else label

    def losing(self, fields: Iterable[fieldset.Path]) -> "Manager":
        """The entry without some fields."""
        return replace(self, fields=self.fields - frozenset(fields))


def managers_of(obj: Mapping[str, Any]) -> list[Manager]:
    """The entries of an object."""
    return [
        Manager(
            name=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            api_version=entry.get("apiVersion", ""),
            time=entry.get("time") or "",
            subresource=entry.get("subresource", ""),
            fields=fieldset.decode(entry.get("fieldsV1") or {}),
        )
        for entry in (obj.get("metadata") or {}).get("managedFields") or []
    ]


def with_managers(obj: Object, managers: Iterable[Manager]) -> Object:
    """``obj`` with these entries: applies first, then by time, as the server sorts them; empty ones are left out."""
    entries = [_entry(manager) for manager in sorted(managers, key=_order) if manager.fields]
    bare = without_managers(obj)
    return {**bare, "metadata": {**bare["metadata"], "managedFields": entries}} if entries else bare


def without_managers(obj: Object) -> Object:
    """``obj`` without its entries."""
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}
    return {**obj, "metadata": metadata}


def _entry(manager: Manager) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldset.encode(manager.fields),
        "subresource": manager.subresource,
    }
    return {name: value for name, value in entry.items() if value != ""}


def _order(manager: Manager) -> tuple[str, ...]:
    return (manager.operation, manager.time, manager.name, manager.api_version, manager.subresource)
