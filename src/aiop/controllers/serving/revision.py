"""Revisions: the fully resolved pod template and what it was made of, kept so that nothing but the user changes it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import msgspec

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.modelsource import model_id, model_source
from aiop.controllers.serving.names import (
    AMOUNTS_ANNOTATION,
    ASKED_ANNOTATION,
    GIVEN_ANNOTATION,
    RESTART_ANNOTATION,
    REVISION_LABEL,
    revision_name,
)
from aiop.controllers.serving.pod.probes import SERVING_PORT
from aiop.controllers.serving.pod.template import CONTAINER, pod_spec, ports_of
from aiop.controllers.serving.resize.amounts import Amounts, amounts_of, read_amounts, with_amounts, written
from aiop.controllers.serving.resize.restart import same_pod
from aiop.controllers.serving.runtimeselection import select_runtime
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.words import version_in_words
from aiop.runtime.views.owned import Revision

# What does not reach the pods makes no new revision.
_NOT_IN_PODS = frozenset({
    "replicas", "autoscaling", "inferenceEndpoint", "ingress", "gateway", "rollout", "updatePolicy",
})  # fmt: skip
_DIGEST = 10


class MetricsAt(msgspec.Struct, frozen=True):
    """Where a server shows metrics for Prometheus: the port's name and the path."""

    port: str
    path: str


class RevisionData(msgspec.Struct, frozen=True, rename="camel"):
    """What a ControllerRevision keeps. ``pod`` is the PodSpec; ``asked`` is the hash of the spec that asked for it.

    ``route`` is the server's path of inference, empty if it has none, None if it was not recorded.
    """

    pod: dict[str, Any]
    asked: str
    runtime: str = ""
    model_uri: str = ""
    version: str = ""
    protocol: str = ""
    route: str | None = None
    metrics: MetricsAt | None = None


class _Port(msgspec.Struct, rename="camel"):
    name: str
    container_port: int


_Amounts = dict[str, dict[str, str | int | float] | None] | None


class _Container(msgspec.Struct):
    name: Literal["server"]  # CONTAINER
    ports: Annotated[list[_Port], msgspec.Meta(min_length=1)]
    resources: _Amounts = None


class _InitContainer(msgspec.Struct):
    name: str
    resources: _Amounts = None


class _Volume(msgspec.Struct, rename="camel"):
    empty_dir: dict[str, Any] | None = None


class _Pod(msgspec.Struct, rename="camel"):
    """What the plan reads of a recorded pod; one that lacks it was spoiled by somebody."""

    containers: Annotated[list[_Container], msgspec.Meta(min_length=1, max_length=1)]
    init_containers: list[_InitContainer] | None = None
    volumes: list[_Volume] = []


@dataclass(frozen=True, slots=True)
class KnownRevision:
    """A revision with its hash; ``number`` grows with each use and is 0 for one that is not stored yet.

    ``asked`` are the hashes of the first and the last spec that asked for it: different specs may come to one pod.
    ``resized``: ``data`` has the amounts that its servers were given since it was stored; ``given`` are those that
    they may have. ``first`` is the data as it was stored, of one that is ``resized``. ``restart`` says why it has
    servers of its own, though only amounts are others than before.
    """

    hash: str
    number: int
    data: RevisionData
    asked: tuple[str, ...]
    resized: bool = False
    given: tuple[Amounts, ...] = ()
    restart: str = ""
    first: RevisionData | None = None

    @property
    def title(self) -> str:
        """What messages call it: its version, or its hash if it has none."""
        return version_in_words(self.data.version) or f"revision {self.hash}"

    def annotations(self) -> dict[str, str]:
        """What its record says that may change."""
        told = {ASKED_ANNOTATION: self.asked[-1]}
        if self.resized:
            told[AMOUNTS_ANNOTATION] = written([amounts_of(self.data.pod)])
        if self.given:
            told[GIVEN_ANNOTATION] = written(self.given)
        if self.restart:
            told[RESTART_ANNOTATION] = self.restart
        return told


def asked_hash(spec: AIWorkloadSpec) -> str:
    """The hash of the part of a spec that reaches the pods."""
    relevant = {
        name: value
        for name, value in spec.model_dump(by_alias=True, exclude_defaults=True, mode="json").items()
        if name not in _NOT_IN_PODS
    }
    return _digest(relevant)


def known_revisions(views: Sequence[Revision], workload: str) -> list[KnownRevision]:
    """The stored revisions, oldest use first; one that makes no sense, or lost its label, is as good as absent."""
    known = []
    for view in views:
        name = view.metadata.labels.get(REVISION_LABEL, "")
        try:
            data = msgspec.json.decode(view.data, type=RevisionData)
            msgspec.convert(data.pod, _Pod)
        except (msgspec.MsgspecError, RecursionError):
            continue
        if revision_name(workload, name) == view.metadata.name:
            known.append(_known(name, view, data))
    return sorted(known, key=lambda revision: (revision.number, revision.hash))


def _known(name: str, view: Revision, data: RevisionData) -> KnownRevision:
    notes = view.metadata.annotations
    asked = notes.get(ASKED_ANNOTATION, data.asked)
    given, restart = read_amounts(notes.get(GIVEN_ANNOTATION, "")), notes.get(RESTART_ANNOTATION, "")
    amounts = read_amounts(notes.get(AMOUNTS_ANNOTATION, ""))
    if not amounts:
        return KnownRevision(name, view.revision, data, (data.asked, asked), given=given, restart=restart)
    now = msgspec.structs.replace(data, pod=with_amounts(data.pod, amounts[0]))
    # The spec that it was first made for asked for other amounts.
    return KnownRevision(name, view.revision, now, (asked,), resized=True, given=given, restart=restart, first=data)


def target_revision(
    workload: str,
    spec: AIWorkloadSpec,
    known: Sequence[KnownRevision],
    runtimes: Mapping[str, ServingRuntimeSpec],
    settings: ServingSettings,
) -> KnownRevision:
    """The revision that ``spec`` asks for.

    Pinned (the default): if a stored revision was made for the same spec, it is that one, though runtimes or the
    operator have changed since. Raises NotAccepted if it cannot be resolved.
    """
    asked = asked_hash(spec)
    if spec.update_policy == "Pinned":
        for revision in reversed(known):
            if asked in revision.asked:
                return replace(revision, asked=(asked,))
    data = _resolve(workload, spec, asked, runtimes, settings)
    digest = _digest({"pod": data.pod})
    for revision in reversed(known):
        if revision.hash != digest and same_pod(revision.data.pod, data.pod):
            return replace(revision, asked=(asked,))
        if revision.resized and same_pod(revision.data.pod, data.pod):
            return replace(revision, asked=(asked,))
        if not revision.resized and revision.hash == digest:
            return replace(revision, data=data, asked=(asked,))
    fresh = KnownRevision(digest, 0, data, (asked,))
    return under_another_name(fresh, known) if any(each.hash == digest for each in known) else fresh


def under_another_name(revision: KnownRevision, known: Sequence[KnownRevision]) -> KnownRevision:
    """As a new revision, for one whose name has come to mean other amounts, or whose servers cannot follow."""
    again = max((each.number for each in known), default=0) + 1
    digest = _digest({"pod": revision.data.pod, "again": again})
    asked = revision.asked[-1]  # its data was made for another spec if its amounts were changed since
    return KnownRevision(digest, 0, msgspec.structs.replace(revision.data, asked=asked), (asked,))


def _resolve(
    workload: str,
    spec: AIWorkloadSpec,
    asked: str,
    runtimes: Mapping[str, ServingRuntimeSpec],
    settings: ServingSettings,
) -> RevisionData:
    name, runtime = select_runtime(spec, runtimes)
    source = model_source(spec, runtime, settings.model_store)
    return RevisionData(
        pod=pod_spec(workload, spec, runtime, source, settings),
        asked=asked,
        runtime=name,
        model_uri=source.uri,
        version=spec.model_version or "",
        protocol=runtime.protocol,
        route=route_of(runtime, model_id(spec)),
        metrics=_metrics_at(runtime, ports_of(spec, runtime)),
    )


def route_of(runtime: ServingRuntimeSpec, model: str) -> str:
    """The runtime's route for a model, whose name's last part is ``model``; empty if it has none."""
    return (runtime.route or "").replace("{model}", model)


def known_metrics(data: RevisionData, runtimes: Mapping[str, ServingRuntimeSpec]) -> MetricsAt | None:
    """Where a revision's servers show metrics; of one that was recorded without it, by its runtime of today."""
    runtime = runtimes.get(data.runtime)
    if data.route is not None or runtime is None:
        return data.metrics  # what records routes records this too
    containers = (each for each in data.pod["containers"] if each["name"] == CONTAINER)
    return _metrics_at(runtime, [port for each in containers for port in each["ports"]])


def _metrics_at(runtime: ServingRuntimeSpec, ports: Sequence[Mapping[str, Any]]) -> MetricsAt | None:
    """None too if the pod has no such port, for the workload has ports of its own."""
    if runtime.metrics is None:
        return None
    # The first port is called http in the pod, whatever its name in the runtime.
    port = SERVING_PORT if runtime.metrics.port == runtime.ports[0].name else runtime.metrics.port
    return MetricsAt(port, runtime.metrics.path) if port in {each["name"] for each in ports} else None


def _digest(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:_DIGEST]
