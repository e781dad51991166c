"""From what a client sent to what is stored: pruned, defaulted, validated. Pure but for the clock and random ids."""

import random as random_module
import re
import uuid
from typing import Any

from aiop.runtime.kit.clock import Clock
from aiop.sim.semantics.checks import violations
from aiop.sim.semantics.errors import FieldFault, RuleError
from aiop.sim.semantics.schema import pruned, unknown_fields, with_defaults
from aiop.sim.server.defaults import builtin_defaults
from aiop.sim.server.kinds import Kind
from aiop.sim.server.refusals import bad_name, bad_request, invalid
from aiop.sim.server.requests import WriteOptions

Object = dict[str, Any]

_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
# Roles may be named with colons and almost anything else; a path segment is all that they must be.
_LOOSE_GROUPS = frozenset({"rbac.authorization.k8s.io"})
_LONGEST_NAME = 253
# The letters of generated names: no vowels, so that no words come out.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5


class Admission:
    """Prepares objects for the store."""

    def __init__(self, clock: Clock, random: random_module.Random) -> None:
        self._clock = clock
        self._random = random

    def moment(self) -> str:
        """Now, as metadata has it."""
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def new_uid(self) -> str:
        """A UID from the injected randomness, so that a simulation repeats."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def generated_name(self, prefix: str) -> str:
        """A name that begins with ``prefix``."""
        return prefix[:58] + "".join(self._random.choice(_LETTERS) for _ in range(_SUFFIX))

    def shaped(self, kind: Kind, obj: Object, options: WriteOptions) -> Object:
        """``obj`` of the kind's shape: unknown fields dropped (or refused), defaults filled in."""
        schema = kind.schema
        unknown = list(unknown_fields(obj, schema))
        if unknown and options.validation == "Strict":
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            raise bad_request(_strict_words(kind, listed))
        if options.validation == "Warn":
            options.warnings.extend(f'unknown field "{path}"' for path in unknown)
        shaped = pruned(obj, schema)
        shaped = with_defaults(shaped, schema) if kind.custom else builtin_defaults(kind.resource.kind, shaped)
        return {"apiVersion": kind.resource.api_version, "kind": kind.resource.kind, **shaped}

    def validate(self, kind: Kind, obj: Object, old: Object | None) -> None:
        """Raise Refused if the object breaks its schema, its rules or the rules of names."""
        name = obj["metadata"]["name"]
        if old is None:
            self._validate_name(kind, name)
        schema = kind.schema
        try:
            found = violations(obj, old, schema)
        except RuleError as error:
            found = [FieldFault("", "FieldValueInvalid", str(error))]
        found += _by_code(kind, obj)
        if found:
            raise invalid(kind, name, found)

    @staticmethod
    def _validate_name(kind: Kind, name: str) -> None:
        loose = kind.resource.group in _LOOSE_GROUPS
        if len(name) > _LONGEST_NAME or not (loose or _NAME.match(name)):
            raise bad_name(kind, name)


def _strict_words(kind: Kind, listed: str) -> str:
    resource = kind.resource
    return (
        f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
        f"strict decoding error: {listed}"
    )


def _by_code(kind: Kind, obj: Object) -> list[FieldFault]:
    """The few rules of built-in kinds that clients run into and no schema holds."""
    spec = obj.get("spec") or {}
    found = []
    replicas = spec.get("replicas")
    if not kind.custom and isinstance(replicas, int) and replicas < 0:
        words = f"Invalid value: {replicas}: must be greater than or equal to 0"
        found.append(FieldFault("spec.replicas", "FieldValueInvalid", words))
    if kind.resource.kind in {"Deployment", "ReplicaSet"}:
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if any(labels.get(key) != value for key, value in wanted.items()):
            words = "Invalid value: `selector` does not match template `labels`"
            found.append(FieldFault("spec.template.metadata.labels", "FieldValueInvalid", words))
    return found
