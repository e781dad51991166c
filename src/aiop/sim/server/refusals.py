"""What the server refuses, as Status objects with the words that clients know."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aiop.runtime.client.codec import error_from
from aiop.runtime.client.errors import ApiError
from aiop.sim.semantics.errors import ApplyConflict, FieldFault
from aiop.sim.server.kinds import Kind

_VALID_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character"
)


class Refused(Exception):
    """Raised when a request is refused; ``status`` is the Status object to answer with."""

    def __init__(self, status: dict[str, Any]) -> None:
        super().__init__(status["message"])
        self.status = status

    def error(self) -> ApiError:
        """The same as a client would see it."""
        return error_from(self.status["code"], msgspec.json.encode(self.status))


def refused(code: int, reason: str, message: str, *, details: dict[str, Any] | None = None) -> Refused:
    """A refusal in general."""
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details is not None:
        status["details"] = details
    return Refused(status)


def not_found(kind: Kind, name: str) -> Refused:
    """No such object."""
    return refused(404, "NotFound", f'{kind.qualified} "{name}" not found', details=_about(kind, name))


def no_such_path() -> Refused:
    """No such kind. The details are empty, not missing: kubectl debug looks into them."""
    return refused(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(kind: Kind, name: str) -> Refused:
    """The name is taken."""
    return refused(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', details=_about(kind, name))


def conflict(kind: Kind, name: str, words: str) -> Refused:
    """A precondition does not hold."""
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {words}'
    return refused(409, "Conflict", message, details=_about(kind, name))


def modified(kind: Kind, name: str) -> Refused:
    """The object has moved on."""
    words = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, words)


def apply_conflict(conflict: ApplyConflict) -> Refused:
    """Others own the fields."""
    return refused(409, "Conflict", str(conflict), details={"causes": conflict.causes})


def invalid(kind: Kind, name: str, faults: Sequence[FieldFault]) -> Refused:
    """The object breaks its schema or rules."""
    listed = str(faults[0]) if len(faults) == 1 else f"[{', '.join(str(fault) for fault in faults)}]"
    group = f".{kind.resource.group}" if kind.resource.group else ""
    causes = [{"reason": fault.reason, "message": fault.message, "field": fault.field} for fault in faults]
    details = {"name": name, "group": kind.resource.group, "kind": kind.resource.kind, "causes": causes}
    message = f'{kind.resource.kind}{group} "{name}" is invalid: {listed}'
    return refused(422, "Invalid", message, details={key: value for key, value in details.items() if value})


def bad_name(kind: Kind, name: str) -> Refused:
    """The name is no DNS subdomain."""
    words = f'Invalid value: "{name}": {_VALID_NAME}'
    return invalid(kind, name, [FieldFault("metadata.name", "FieldValueInvalid", words)])


def bad_request(message: str) -> Refused:
    """The request makes no sense."""
    return refused(400, "BadRequest", message)


def internal_error(error: Exception) -> Refused:
    """A fault of the server's own."""
    return refused(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}")


def expired(message: str) -> Refused:
    """The version or token is too old."""
    return refused(410, "Expired", message)


def _about(kind: Kind, name: str) -> dict[str, Any]:
    details = {"name": name, "group": kind.resource.group, "kind": kind.resource.plural}
    return {key: value for key, value in details.items() if value}
