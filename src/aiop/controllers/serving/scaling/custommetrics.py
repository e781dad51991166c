"""The cluster's metrics of pods, custom.metrics.k8s.io: which version there is, and which pods have a value.

An adapter answers there, not the API server: how much it says and how long it takes is bounded, and nonsense is only a
reason not to use the metric.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import msgspec

from aiop.controllers.serving.errors import MetricsUnreadable
from aiop.controllers.serving.names import WORKLOAD_LABEL
from aiop.controllers.serving.scaling.served import Sight
from aiop.runtime.client.client import Client
from aiop.runtime.client.codec import NONSENSE
from aiop.runtime.client.errors import ClientError, Forbidden, NotFound
from aiop.runtime.client.resource import Resource
from aiop.runtime.controller.drift import quantity
from aiop.runtime.views.nulls import nulls_left_out

T = TypeVar("T")

_GROUP = "custom.metrics.k8s.io"
# Those that HorizontalPodAutoscalers can read, the newer one first.
_VERSIONS = ("v1beta2", "v1beta1")
# An autoscaler waits no longer than its 15 s for the next look.
_SECONDS = 10.0
# A value takes some 400 bytes: twenty thousand pods in one namespace, or as many metrics in a list of them.
_MOST_BYTES = 8 * 2**20
# A thousand GPUs at 100 % are 100,000; DCGM's blanks, which stand for no value, begin at 2,147,483,632.
_LARGEST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Values:
    """The names of pods that have a value, and of those whose value stands for none."""

    pods: frozenset[str] = frozenset()
    blank: frozenset[str] = frozenset()


class _Version(msgspec.Struct):
    version: str = ""


class _Group(msgspec.Struct, rename="camel"):
    preferred_version: _Version = msgspec.field(default_factory=_Version)
    versions: tuple[_Version, ...] = ()


class _Named(msgspec.Struct):
    name: str = ""


class _Listing(msgspec.Struct):
    resources: tuple[_Named, ...] = ()


class _Value(msgspec.Struct, rename="camel"):
    described_object: _Named = msgspec.field(default_factory=_Named)
    value: str | int | float = ""


class _ValueList(msgspec.Struct):
    items: tuple[_Value, ...] = ()


_decode_group = nulls_left_out(msgspec.json.Decoder(_Group).decode)
_decode_listing = nulls_left_out(msgspec.json.Decoder(_Listing).decode)
_decode_values = nulls_left_out(msgspec.json.Decoder(_ValueList).decode)


class CustomMetrics:
    """Reads them; everything raises MetricsUnreadable if there is no proper answer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def version(self) -> str:
        """The version that autoscalers read."""
        try:
            group = await self._get(f"/apis/{_GROUP}", _decode_group)
        except NotFound:
            raise MetricsUnreadable(Sight.NO_API) from None
        offered = (group.preferred_version.version, *_VERSIONS)
        served = {each.version for each in group.versions} & set(_VERSIONS)
        found = next((version for version in offered if version in served), "")
        if not found:
            raise MetricsUnreadable(Sight.NO_API)
        return found

    async def lists(self, version: str, metric: str) -> bool:
        """Whether the API names that metric of pods; some adapters serve metrics that they do not name."""
        try:
            listing = await self._get(f"/apis/{_GROUP}/{version}", _decode_listing)
        except NotFound:
            return False
        return any(each.name == f"pods/{metric}" for each in listing.resources)

    async def values(self, version: str, namespace: str, metric: str) -> Values:
        """Which pods of ours in that namespace have a value; none if there is no such metric."""
        path = Resource(_GROUP, version, "", "pods").path(namespace, "*", metric)
        try:
            found = await self._get(path, _decode_values, {"labelSelector": WORKLOAD_LABEL})
        except NotFound:
            return Values()
        pods = {each.described_object.name: _is_value(each.value) for each in found.items}
        return Values(
            frozenset(name for name, good in pods.items() if good),
            frozenset(name for name, good in pods.items() if not good),
        )

    async def _get(self, path: str, decode: Callable[[bytes], T], query: dict[str, str] | None = None) -> T:
        try:
            return decode(await self._client.get_path(path, query, seconds=_SECONDS, most_bytes=_MOST_BYTES))
        except NotFound:
            raise
        except Forbidden:
            raise MetricsUnreadable(Sight.FORBIDDEN) from None
        except (ClientError, *NONSENSE) as error:
            raise MetricsUnreadable(Sight.UNREADABLE) from error


def _is_value(said: str | float) -> bool:
    value = quantity(str(said))
    return isinstance(value, Decimal) and value <= _LARGEST
