"""What it means that the API server will not have a child: the spec's fault, or a ban. Pure."""

from aiop.controllers.serving.causes.cause import Kind
from aiop.controllers.serving.causes.refused import refusal_kind
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.runtime.client.errors import ApiError, BadRequest, Forbidden, Invalid
from aiop.runtime.controller.children import Child

# The server repeats what it refuses, and that may be a mebibyte of a tenant's text.
_WORDS = 1000
# What a refusal that may pass says behind the server's words; advice follows where there is some.
TRIED_AGAIN = "; it is tried again every minute"
REFUSALS = (Invalid, BadRequest, Forbidden)


def refusal_of(child: Child, error: ApiError) -> NotAccepted | ChildRefused:
    """A child that breaks the API's rules was asked for so (InvalidSpec); one that is forbidden may come later."""
    what = f"the API server refuses the {child.resource.kind} {child.key.name!r}"
    found = refusal_kind(error.message)
    faults = "; ".join(f"{cause.field}: {cause.message}" for cause in error.causes if cause.field)
    # Webhooks and policies choose the code of their answer: unless they do, it is that of a bad request, or of a fault.
    denied = found is not None and found.reason == "AdmissionDenied" and not faults
    if isinstance(error, Forbidden) or denied:
        words = f"{what}: {_shortened(error.message)}{TRIED_AGAIN}"
        return ChildRefused(found.reason, f"{words}; {_fix(found)}") if found else ChildRefused("ChildRefused", words)
    words = _shortened(faults or error.message)
    return NotAccepted("InvalidSpec", f"{what}: {words}; correct the field of this spec and apply again")


def _fix(found: Kind) -> str:
    # The advice for pods is to ask for less; a quota that refuses a child of ours counts it.
    return "raise the quota" if found.reason == "QuotaExceeded" else found.fix


def _shortened(words: str) -> str:
    return words if len(words) <= _WORDS else f"{words[:_WORDS]}…"
