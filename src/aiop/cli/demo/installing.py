"""Puts CRDs and samples into the demo's cluster, by server-side apply, as `kubectl apply --server-side` would."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from aiop.api.crd import custom_resource_definitions
from aiop.api.resources import AIWORKLOADS, KINDS, SERVINGRUNTIMES
from aiop.cli.demo.errors import DemoError
from aiop.cli.demo.samples import sample_objects
from aiop.runtime.client.builtin import CUSTOMRESOURCEDEFINITIONS, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ApiError, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource

_FIELD_MANAGER = "aiop-demo"
_ESTABLISHED_SECONDS = 30.0
_POLL_SECONDS = 0.1
# The kinds that samples may be of.
_KNOWN = {each.kind: each for each in (AIWORKLOADS, SERVINGRUNTIMES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES)}


async def install_definitions(client: Client) -> None:
    """Apply the CRDs and wait until their kinds are served; raises DemoError."""
    for definition in custom_resource_definitions():
        key = ObjectKey("", definition["metadata"]["name"])
        await client.apply(CUSTOMRESOURCEDEFINITIONS, key, definition, field_manager=_FIELD_MANAGER)
    try:
        async with asyncio.timeout(_ESTABLISHED_SECONDS):
            for kind in KINDS:
                while not await _served(client, kind.resource):  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        message = f"the API server does not serve our kinds after {_ESTABLISHED_SECONDS:.0f} s"
        raise DemoError(message) from error


async def install_samples(client: Client, namespace: str, *, volumes: bool) -> list[str]:
    """Apply every sample; returns the names of the AIWorkloads.

    ``volumes``: make a volume for each claim too, for a cluster in which nobody else does.
    """
    workloads = []
    for sample in await asyncio.to_thread(lambda: list(sample_objects())):
        resource = _KNOWN.get(str(sample["kind"]))
        if resource is None:
            message = f"a sample is of the kind {sample['kind']!r}, which the demo does not know"
            raise DemoError(message)
        name = str(_meta(sample)["name"])
        if volumes and resource is PERSISTENTVOLUMECLAIMS:
            await _make_volume(client, namespace, sample)
        await _apply(client, resource, ObjectKey(namespace if resource.namespaced else "", name), sample)
        if resource is AIWORKLOADS:
            workloads.append(name)
    return workloads


async def _apply(client: Client, resource: Resource, key: ObjectKey, body: Mapping[str, Any]) -> None:
    try:
        await client.apply(resource, key, body, field_manager=_FIELD_MANAGER)
    except ApiError as error:
        message = f"{resource.kind} {key.name} was refused: {error}"
        raise DemoError(message) from error


async def _make_volume(client: Client, namespace: str, claim: Mapping[str, Any]) -> None:
    name = f"{namespace}-{_meta(claim)['name']}"
    spec = claim["spec"]
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": spec["resources"]["requests"],
            "accessModes": spec["accessModes"],
            "storageClassName": spec.get("storageClassName", ""),
            "claimRef": {"namespace": namespace, "name": _meta(claim)["name"]},
            "hostPath": {"path": "/var/lib/models"},
        },
    }
    await _apply(client, PERSISTENTVOLUMES, ObjectKey("", name), volume)


async def _served(client: Client, resource: Resource) -> bool:
    try:
        data = await client.get_path(resource.path() + "?limit=1")
    except NotFound:
        return False
    return "items" in msgspec.json.decode(data)


def _meta(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = obj["metadata"]
    return meta
