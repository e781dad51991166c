"""How an object or a request can be wrong, as the API server would say it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field's fault: ``reason`` is the API's (FieldValueInvalid …), ``message`` its words."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class SemanticsError(Exception):
    """Raised when a request makes no sense as it is; the base of the others."""


class BadPatch(SemanticsError):
    """Raised when a patch is malformed."""


class PatchRefused(SemanticsError):
    """Raised when a JSON patch's test fails or its path does not exist."""


class BadSelector(SemanticsError):
    """Raised when a selector cannot be read."""


class RuleError(SemanticsError):
    """Raised when a CEL rule cannot be evaluated: never taken for a pass."""


class UntypedConfiguration(SemanticsError):
    """Raised when an applied configuration does not fit the kind's schema; the server answers 500 with these words."""


class ApplyConflict(SemanticsError):
    """Raised when an apply would change fields that others own.

    ``conflicts`` are (manager, field) pairs, the manager as the server names it: quoted, with its door and version.
    The text of the error is the server's message.
    """

    def __init__(self, conflicts: list[tuple[str, str]]) -> None:
        super().__init__(_conflict_message(conflicts))
        self.conflicts = conflicts

    @property
    def causes(self) -> list[dict[str, str]]:
        """The causes of the Status that says so."""
        return [
            {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": field}
            for manager, field in self.conflicts
        ]


def _conflict_message(conflicts: list[tuple[str, str]]) -> str:
    if len(conflicts) == 1:
        manager, field = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {field}"
    lines: list[str] = []
    for manager in dict.fromkeys(manager for manager, _ in conflicts):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {field}" for owner, field in conflicts if owner == manager]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
