"""Changes servers while they run, and what new ones are made from: each write of the very object that was seen."""

from enum import Enum
from typing import NoReturn

from aiop.controllers.serving.causes.refused import refusal_kind
from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.amounts import resources_of
from aiop.controllers.serving.resize.plan import ServerResize
from aiop.controllers.serving.resize.shape import TemplateResize
from aiop.controllers.serving.words import one_line
from aiop.runtime.client.builtin import PODS, REPLICASETS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import ApiError, BadRequest, Conflict, Forbidden, Invalid, NotFound, ServerError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Informer
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import Pod, ReplicaSet

# How the API server says that it has no such path, rather than no such pod.
_NO_PATH = "the server could not find the requested resource"
# What may be otherwise in a moment, without anybody's change of the workload.
_PASSING = frozenset({"QuotaExceeded", "AdmissionFailed"})
_REFUSALS = (Forbidden, Invalid, BadRequest, ServerError)


class Resized(Enum):
    """What became of one write."""

    CHANGED = "changed"
    OVERTAKEN = "overtaken"  # the object changed or is gone; its watch will tell


class NotResizable(Exception):
    """Raised when the API server lets no server be changed while it runs, or not what makes it; the text says why."""


class Resizer:
    """Writes pods by their ``resize`` subresource and ReplicaSets, and tells the caches what it wrote."""

    def __init__(
        self, client: Client, pods: Informer[Pod], replica_sets: Informer[ReplicaSet], field_manager: str
    ) -> None:
        self._client = client
        self._pods = pods
        self._replica_sets = replica_sets
        self._field_manager = field_manager

    async def resize(self, server: ServerResize) -> Resized:
        """Ask for a server's new amounts.

        Raises NotResizable, or ChildRefused for what may pass: a quota that may grow, a webhook that does not answer.
        """
        meta = server.pod.metadata
        containers = [{"name": name, "resources": resources_of(amounts)} for name, amounts in server.amounts.items()]
        patch = {"metadata": _very(meta), "spec": {"containers": containers}}
        try:
            data = await self._client.patch(
                PODS,
                ObjectKey(meta.namespace, meta.name),
                patch,
                patch_type=PatchType.STRATEGIC,
                field_manager=self._field_manager,
                subresource="resize",
            )
        except Conflict:
            return Resized.OVERTAKEN
        except NotFound as error:
            if _NO_PATH not in error.message:
                return Resized.OVERTAKEN
            message = "the cluster does not offer it (Kubernetes 1.33 and newer do)"
            raise NotResizable(message) from error
        except _REFUSALS as error:
            _refuse(f"pod {meta.name!r} have more while it runs", "refuses it", error)
        self._pods.written(data)
        return Resized.CHANGED

    async def follow(self, template: TemplateResize) -> Resized:
        """Let a ReplicaSet make its pods as its Deployment says. Raises as ``resize`` does."""
        meta = template.replica_set.metadata
        patch = {"metadata": _very(meta), "spec": {"template": {"spec": template.pod}}}
        try:
            data = await self._client.patch(
                REPLICASETS,
                ObjectKey(meta.namespace, meta.name),
                patch,
                patch_type=PatchType.MERGE,
                field_manager=self._field_manager,
            )
        except (Conflict, NotFound):
            return Resized.OVERTAKEN
        except _REFUSALS as error:
            what = f"ReplicaSet {meta.name!r} make servers with the new amounts"
            _refuse(what, f"does not let {what}", error)
        self._replica_sets.written(data)
        return Resized.CHANGED


def _refuse(wish: str, final: str, error: ApiError) -> NoReturn:
    """Raise for an answer that may be another in a moment, or in the words of ``final`` for one that will not."""
    found = refusal_kind(error.message)
    # The head names one pod of several, and another one at every try.
    _, forbidden, rest = error.message.partition(" is forbidden: ")
    words = one_line(rest if forbidden else error.message)
    if found is not None and found.reason in _PASSING:
        told = f"the API server does not let {wish}: {words}; it is tried again every minute; {found.fix}"
        raise ChildRefused(found.reason, told) from error
    if isinstance(error, ServerError):
        raise error
    faults = "; ".join(f"{cause.field}: {cause.message}" for cause in error.causes if cause.field)
    raise NotResizable(f"the API server {final}: {one_line(faults) or words}") from error


def _very(meta: ObjectMeta) -> dict[str, str]:
    return {"uid": meta.uid, "resourceVersion": meta.resource_version}
