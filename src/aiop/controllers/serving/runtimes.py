"""The default ServingRuntimes, applied when this process begins to lead: made if absent, renewed if unedited."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from aiop.api.resources import SERVINGRUNTIMES
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.names import MANAGED_BY
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import AlreadyExists, ClientError, Conflict
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import INTENT_ANNOTATION
from aiop.runtime.controller.drift import intent_hash
from aiop.runtime.informer.informer import Informer
from aiop.runtime.kit.backoff import Backoff, BackoffState
from aiop.runtime.kit.clock import Clock
from aiop.runtime.views.custom import CustomObject

log = structlog.get_logger(__name__)

_FIELD_MANAGER = "aiop/runtimes"
# Workloads wait for these, so the first tries come quickly.
_RETRY = Backoff(initial=0.5, factor=2.0, maximum=30.0, jitter=0.5)


class DefaultRuntimes:
    """A default is ours while its spec is what the annotation's generation was written with."""

    def __init__(self, client: Client, informer: Informer[CustomObject], clock: Clock) -> None:
        self._client = client
        self._informer = informer
        self._clock = clock

    async def prepare(self) -> None:
        """One try before the first pass, so that no workload of a new cluster is told that there are no runtimes.

        What fails is left to `run`: workloads that name an image need no runtime, and must not wait for one.
        """
        try:
            await self.apply()
        except ClientError as error:
            log.warning("default runtimes not applied yet", error=str(error))

    async def run(self) -> None:
        """Bring every default up to date, trying again while the API server is away; then rest until cancelled."""
        retry = BackoffState(_RETRY)
        while True:
            try:
                await self.apply()
            except ClientError as error:
                log.warning("default runtimes not applied", error=str(error))
                await self._clock.sleep(retry.next(self._clock.monotonic()))
            else:
                await asyncio.Event().wait()

    async def apply(self) -> None:
        """Bring every default up to date, one after the other; raises ClientError."""
        for name, spec in DEFAULT_RUNTIMES.items():
            await self._apply(name, spec)

    async def _apply(self, name: str, spec: Mapping[str, Any]) -> None:
        live = self._informer.store.get(ObjectKey("", name))
        if live is None:
            await self._create(name, spec)
        elif _wants_renewal(live, spec):
            await self._renew(live, spec)

    async def _create(self, name: str, spec: Mapping[str, Any]) -> None:
        try:
            data = await self._client.create(SERVINGRUNTIMES, "", _body(name, spec, 1), field_manager=_FIELD_MANAGER)
        except AlreadyExists:
            return  # somebody was faster; theirs stands
        self._informer.written(data)

    async def _renew(self, live: CustomObject, spec: Mapping[str, Any]) -> None:
        name = live.metadata.name
        body = _body(name, spec, live.metadata.generation + 1)
        body["metadata"]["resourceVersion"] = live.metadata.resource_version
        try:
            data = await self._client.replace(SERVINGRUNTIMES, ObjectKey("", name), body, field_manager=_FIELD_MANAGER)
        except Conflict:
            log.info("default runtime changed meanwhile and is left alone", runtime=name)
            return
        self._informer.written(data)


def _wants_renewal(live: CustomObject, spec: Mapping[str, Any]) -> bool:
    """True if it is ours, nobody edited its spec since we wrote it, and what we would write now differs."""
    mark = live.metadata.annotations.get(INTENT_ANNOTATION, "")
    digest, _, generation = mark.partition("/")
    return generation == str(live.metadata.generation) and digest != intent_hash(spec)


def _body(name: str, spec: Mapping[str, Any], generation: int) -> dict[str, Any]:
    return {
        "apiVersion": SERVINGRUNTIMES.api_version,
        "kind": SERVINGRUNTIMES.kind,
        "metadata": {
            "name": name,
            "labels": dict(MANAGED_BY),
            "annotations": {INTENT_ANNOTATION: f"{intent_hash(spec)}/{generation}"},
        },
        "spec": dict(spec),
    }
