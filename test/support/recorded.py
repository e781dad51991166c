"""Answers of a real API server, as hack/semantics/record.py wrote them down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiop.sim.semantics.typeschema import TypeSchema, builtin_schema, custom_schema

_ANSWERS = Path(__file__).parents[1] / "unit/sim/semantics/recorded"
_SCHEMA = json.loads((_ANSWERS / "schema.json").read_text())
# What the server changes by itself with every write.
_SYSTEM = ("resourceVersion", "generation", "uid", "creationTimestamp", "managedFields", "namespace")


@dataclass(frozen=True, slots=True)
class Answer:
    title: str
    step: dict[str, Any]
    before: dict[str, Any] | None
    status: int
    body: dict[str, Any]

    def __str__(self) -> str:
        return self.title

    @property
    def refused(self) -> bool:
        return self.status >= 400

    @property
    def schema(self) -> TypeSchema:
        kind = (self.before or self.step["body"])["kind"]
        known = {"ConfigMap": ("", "v1"), "Service": ("", "v1"), "Deployment": ("apps", "v1")}
        return builtin_schema(*known[kind], kind) if kind in known else custom_schema(_SCHEMA)


def answers(kind: str) -> list[Answer]:
    recorded: dict[str, list[dict[str, Any]]] = json.loads((_ANSWERS / f"{kind}.json").read_text())
    return [
        Answer(f"{title}: step {number}", each["step"], each["before"], each["status"], each["answer"])
        for title, steps in recorded.items()
        for number, each in enumerate(steps)
    ]


def essence(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without what every write changes."""
    metadata = {name: value for name, value in obj.get("metadata", {}).items() if name not in _SYSTEM}
    return {**obj, "metadata": metadata}


def owners(obj: dict[str, Any]) -> dict[tuple[str, str, str, str], Any]:
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", ""), entry["apiVersion"]): entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields", [])
    }
