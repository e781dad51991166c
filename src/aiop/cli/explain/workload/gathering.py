"""Fetches what an explanation of an AIWorkload needs: first what belongs to it, then what the first look calls for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from aiop.api.resources import AIWORKLOADS, SERVINGRUNTIMES
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.cli.explain.reading import Reader
from aiop.cli.explain.workload.evidence import Evidence
from aiop.cli.explain.workload.views import (
    EVENTS,
    QUOTAS,
    Event,
    Lease,
    PodTimes,
    decode_claim,
    decode_event,
    decode_lease,
    decode_pod_times,
    decode_quota,
)
from aiop.cli.manager import LEASE_NAME
from aiop.controllers.serving.causes.template import template_of
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.kinds import HTTPROUTES
from aiop.controllers.serving.names import WORKLOAD_LABEL
from aiop.controllers.serving.observed import Observed, deployment_state
from aiop.controllers.serving.revision import known_revisions
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    LEASES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    SERVICES,
)
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ProtocolError
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.owned import Owned, decode_owned, decode_revision
from aiop.runtime.views.workloads import (
    Pod,
    decode_endpoint_slice,
    decode_node,
    decode_pod,
    decode_replica_set,
)

# Children with the workload's own name, which a stranger may have taken before.
_NAMED = (SERVICES, INGRESSES, HORIZONTALPODAUTOSCALERS, PODDISRUPTIONBUDGETS)
_OWNED = (*_NAMED, DEPLOYMENTS)
# Pods of one revision fail alike; the events of a few say what there is to say.
_PODS_WITH_EVENTS = 3

Children = Mapping[Resource, Mapping[str, Owned]]


async def gather(client: Client, reader: Reader, key: ObjectKey, operator_namespace: str) -> Evidence:
    """All that there is to see now. Raises ClientError if the workload itself cannot be read, or makes no sense."""
    workload = _workload(await client.get(AIWORKLOADS, key))
    now = client.server_clock.now()  # it has heard the server by now
    first, leases = await asyncio.gather(_first_look(reader, workload, key, now), _leases(client, operator_namespace))
    evidence = replace(first, leases=leases)
    looked = await _second_look(reader, evidence, key)
    return replace(looked, unread=reader.unread)


def _workload(answer: bytes) -> CustomObject:
    try:
        return decode_custom(answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        message = "the answer is no Kubernetes object: is that an API server?"
        raise ProtocolError(message) from error


async def _first_look(reader: Reader, workload: CustomObject, key: ObjectKey, now: datetime) -> Evidence:
    uid, labels = workload.metadata.uid, f"{WORKLOAD_LABEL}={key.name}"

    async def mine(resource: Resource, *, optional: bool = False) -> dict[str, Owned]:
        found = await reader.list(resource, key.namespace, decode_owned, labels=labels, optional=optional)
        return {
            each.metadata.name: each for each in found if each.owned_by(uid) and not each.metadata.deletion_timestamp
        }

    owned_lists = asyncio.gather(*(mine(resource) for resource in _OWNED), mine(HTTPROUTES, optional=True))
    revisions, replica_sets, pods, slices, runtimes = await asyncio.gather(
        reader.list(CONTROLLERREVISIONS, key.namespace, decode_revision, labels=labels),
        reader.list(REPLICASETS, key.namespace, decode_replica_set, labels=labels),
        reader.list(PODS, key.namespace, _pod_with_times, labels=labels),
        reader.list(ENDPOINTSLICES, key.namespace, decode_endpoint_slice, labels=labels),
        _runtimes(reader),
    )
    found = dict(zip((*_OWNED, HTTPROUTES), await owned_lists, strict=True))
    observed = Observed(
        workload=workload,
        runtimes=runtimes,
        revisions=tuple(
            each for each in revisions if (owner := each.metadata.controller()) is not None and owner.uid == uid
        ),
        deployments={name: deployment_state(view) for name, view in found[DEPLOYMENTS].items()},
        services=found[SERVICES],
        ingress=found[INGRESSES].get(key.name),
        autoscaler=found[HORIZONTALPODAUTOSCALERS].get(key.name),
        budget=found[PODDISRUPTIONBUDGETS].get(key.name),
        http_route=found[HTTPROUTES].get(key.name),
        replica_sets=replica_sets,
        pods=tuple(pod for pod, _ in pods),
        slices=slices,
    )
    return Evidence(
        observed,
        now=now,
        namesakes=await _namesakes(reader, key, found),
        times={each.metadata.uid: each for _, each in pods},
    )


def _pod_with_times(data: bytes) -> tuple[Pod, PodTimes]:
    return decode_pod(data), decode_pod_times(data)


async def _runtimes(reader: Reader) -> dict[str, ServingRuntimeSpec]:
    """Those that make sense, the newest first."""
    specs, known = SpecCache(), {}
    found = await reader.list(SERVINGRUNTIMES, "", decode_custom)
    for view in sorted(found, key=lambda each: each.metadata.creation_timestamp, reverse=True):
        try:
            known[view.metadata.name] = specs.runtime(view)
        except NotAccepted:
            continue
    return known


async def _namesakes(reader: Reader, key: ObjectKey, found: Children) -> tuple[str, ...]:
    """What has the name of a child that is not there; most often nothing has it."""
    missing = [resource for resource in _NAMED if key.name not in found[resource] and reader.was_read(resource)]
    taken = await asyncio.gather(*(reader.get(resource, key, decode_owned) for resource in missing))
    return tuple(
        f"{resource.kind} {key.name}"
        for resource, view in zip(missing, taken, strict=True)
        if view is not None and not view.metadata.deletion_timestamp
    )


async def _leases(client: Client, namespace: str) -> tuple[Lease, ...] | None:
    """The operator's, wherever it is if the caller may look everywhere, else where it usually is; None: unreadable."""
    quiet = Reader(client)
    found = await quiet.list(LEASES, "", decode_lease, fields=f"metadata.name={LEASE_NAME}")
    if quiet.was_read(LEASES):
        return tuple(each for each in found if each.metadata.name == LEASE_NAME)
    quiet = Reader(client)
    lease = await quiet.get(LEASES, ObjectKey(namespace, LEASE_NAME), decode_lease)
    if not quiet.was_read(LEASES):
        return None
    return (lease,) if lease is not None else ()


async def _second_look(reader: Reader, evidence: Evidence, key: ObjectKey) -> Evidence:
    """What unready pods, pods that are missing, and claims call for."""
    observed = evidence.observed
    unready = [pod for pod in observed.live_pods if not pod.ready]
    refused = any(each.status == "True" for found in observed.replica_sets for each in found.status.conditions)
    unplaced = any(_unplaced(pod) for pod in unready)
    claim = _claim_of(observed)
    quota = refused or any(each.reason == "QuotaExceeded" for each in evidence.conditions.values())
    events, quotas, nodes, claims = await asyncio.gather(
        _events(reader, key.namespace, [*_names(unready), *([claim] if claim and unready else [])]),
        reader.list(QUOTAS, key.namespace, decode_quota) if quota else _nothing(),
        reader.list(NODES, "", decode_node) if unplaced else _nothing(),
        reader.get(PERSISTENTVOLUMECLAIMS, ObjectKey(key.namespace, claim), decode_claim)
        if claim and unready
        else _none(),
    )
    return replace(evidence, events=events, quotas=quotas, nodes=nodes, claim=claims)


async def _events(reader: Reader, namespace: str, names: Sequence[str]) -> tuple[Event, ...]:
    """Warnings about objects of these names, the newest first."""
    lists = await asyncio.gather(
        *(
            reader.list(EVENTS, namespace, decode_event, fields=f"involvedObject.name={name},type=Warning")
            for name in names
        )
    )
    return tuple(sorted((each for found in lists for each in found), key=lambda each: each.last, reverse=True))


def _names(pods: Sequence[Pod]) -> list[str]:
    """The oldest ones: they have had the time to say something."""
    oldest = sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))
    return [pod.metadata.name for pod in oldest[:_PODS_WITH_EVENTS]]


def _unplaced(pod: Pod) -> bool:
    scheduled = pod.condition("PodScheduled")
    return scheduled is not None and scheduled.status == "False"


def _claim_of(observed: Observed) -> str:
    """The claim of the newest revision; empty if it mounts none."""
    known = known_revisions(observed.revisions, observed.key.name)
    return template_of(known[-1].data.pod).claim() if known else ""


async def _nothing() -> tuple[()]:
    return ()


async def _none() -> None:
    return None
