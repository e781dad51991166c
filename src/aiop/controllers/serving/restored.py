"""Revisions whose ControllerRevision somebody deleted while they have a Deployment: read back out of it. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aiop.controllers.serving.names import revision_name
from aiop.controllers.serving.observed import DeploymentState, Observed
from aiop.controllers.serving.revision import KnownRevision, RevisionData


class _Template(msgspec.Struct):
    spec: dict[str, Any]


class _Content(msgspec.Struct):
    template: _Template


class _Variable(msgspec.Struct):
    name: str
    value: str = ""


class _Container(msgspec.Struct):
    env: list[_Variable] = []


class _Pod(msgspec.Struct):
    containers: list[_Container]


def restored_revisions(observed: Observed, known: Sequence[KnownRevision]) -> list[KnownRevision]:
    """One for each Deployment of ours that has no record; its number is 0, older than all others.

    The pod is as the API server keeps it, defaults included; which spec asked for it is lost.
    """
    recorded = {revision_name(observed.key.name, revision.hash) for revision in known}
    return [
        revision
        for name, live in observed.deployments.items()
        if name not in recorded and (revision := _read_back(observed.key.name, name, live)) is not None
    ]


def _read_back(workload: str, name: str, live: DeploymentState) -> KnownRevision | None:
    # The hash holds no hyphen, so it is what follows the last one.
    digest = name.rpartition("-")[2]
    if revision_name(workload, digest) != name:
        return None
    pod = msgspec.json.decode(live.view.content, type=_Content).template.spec
    variables = {each.name: each.value for each in msgspec.convert(pod, _Pod).containers[0].env}
    data = RevisionData(
        pod=pod,
        asked="",
        model_uri=variables.get("AIOP_MODEL_URI", ""),
        version=variables.get("AIOP_MODEL_VERSION", ""),
    )
    return KnownRevision(digest, 0, data, ("",))
