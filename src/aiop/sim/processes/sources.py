"""ConfigMaps, Secrets and the rest that pods take values from, as the API has them now."""

import base64
import binascii
from collections.abc import Mapping

from aiop.runtime.client.builtin import CONFIGMAPS, NODES, SERVICES
from aiop.runtime.client.errors import NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.objects import status_of

SECRETS = Resource("", "v1", "Secret", "secrets")


class Sources:
    """Reads of one namespace; each asks the API anew."""

    def __init__(self, api: ClusterAPI, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def config_map(self, name: str) -> dict[str, bytes] | None:
        """Its data, binary data too; None if there is none of that name."""
        obj = await self._get(CONFIGMAPS, name)
        if obj is None:
            return None
        text = {key: str(value).encode() for key, value in (obj.get("data") or {}).items()}
        return text | _decoded(obj.get("binaryData") or {})

    async def secret(self, name: str) -> dict[str, bytes] | None:
        """Its data; None if there is none of that name."""
        obj = await self._get(SECRETS, name)
        return None if obj is None else _decoded(obj.get("data") or {})

    async def services(self) -> list[Object]:
        """Every Service of the cluster."""
        return (await self._api.list(SERVICES))[0]

    async def allocatable(self, node: str) -> Mapping[str, str]:
        """What the node has for pods."""
        try:
            return dict(status_of(await self._api.get(NODES, ObjectKey("", node))).get("allocatable") or {})
        except NotFound:
            return {}

    async def _get(self, resource: Resource, name: str) -> Object | None:
        try:
            return await self._api.get(resource, ObjectKey(self._namespace, name))
        except NotFound:
            return None


def _decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    for key, value in data.items():
        try:
            found[key] = base64.b64decode(value or "")
        except binascii.Error:
            found[key] = b""  # the API server refuses what is no base64
    return found
