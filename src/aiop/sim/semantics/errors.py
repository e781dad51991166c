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


class ApplyConflict(SemanticsError):
    """Raised when an apply would change fields that others own; ``conflicts`` are (manager, field) pairs."""

    def __init__(self, conflicts: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{manager}: {field}" for manager, field in conflicts))
        self.conflicts = conflicts
