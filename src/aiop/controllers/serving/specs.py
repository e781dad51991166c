"""Specs parsed once a generation; one that cannot be parsed names its field and never raises further."""

from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from aiop.api.aiworkload import AIWorkloadSpec, effective
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.runtime.views.custom import CustomObject

M = TypeVar("M", bound=BaseModel)
# More faults than this in one message help nobody.
_SHOWN = 3
# A key of a map is a tenant's text too, and may be a mebibyte of it.
_PART = 64


class SpecCache:
    """Parsed specs by UID and generation; only the newest of each object is kept."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[int, BaseModel | NotAccepted]] = {}

    def workload(self, view: CustomObject) -> AIWorkloadSpec:
        """The effective spec of an AIWorkload; raises NotAccepted (InvalidSpec) with field and fault."""
        return self._get(view, AIWorkloadSpec)

    def runtime(self, view: CustomObject) -> ServingRuntimeSpec:
        """The spec of a ServingRuntime; raises NotAccepted."""
        return self._get(view, ServingRuntimeSpec)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._parsed.pop(uid, None)

    def _get(self, view: CustomObject, kind: type[M]) -> M:
        known = self._parsed.get(view.metadata.uid)
        parsed: BaseModel | NotAccepted
        if known is not None and known[0] == view.metadata.generation:
            parsed = known[1]
        else:
            parsed = _parse(view, kind)
            self._parsed[view.metadata.uid] = (view.metadata.generation, parsed)
        if isinstance(parsed, NotAccepted):
            raise parsed
        return cast("M", parsed)  # a UID belongs to one kind


def _parse(view: CustomObject, kind: type[M]) -> M | NotAccepted:
    try:
        parsed = kind.model_validate_json(view.spec)
    except ValidationError as error:
        faults = [
            f"spec.{'.'.join(str(part)[:_PART] for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)[:_SHOWN]
        ]
        return NotAccepted("InvalidSpec", "; ".join(faults) + "; correct the field and apply again")
    return cast("M", effective(parsed)) if isinstance(parsed, AIWorkloadSpec) else parsed
