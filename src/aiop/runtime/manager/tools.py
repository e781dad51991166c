"""What every controller of a process takes from outside, and the two parts that it makes with it."""

import random as random_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import Resource
from aiop.runtime.client.shard import Shard
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.controller.controller import Controller, Reconciler
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.namespaces import NamespacedInformer
from aiop.runtime.informer.recovery import Recovery
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.informer.store import IndexFunction
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.meta import ObjectView

V = TypeVar("V", bound=ObjectView)


@dataclass(frozen=True, slots=True)
class Tools:
    """The client, time, chance, metrics and events of a process; in a simulation all of them are tame.

    The informers share ``recovery``: after an outage the first to reach the server wakes the others. With
    ``namespaces`` the process sees these alone, and needs no right in any other; empty: all.
    """

    client: Client
    clock: Clock
    random: random_module.Random
    metrics: Metrics
    events: EventRecorder
    new_id: Callable[[], str]
    recovery: Recovery = field(default_factory=Recovery)
    namespaces: tuple[str, ...] = ()

    def informer(
        self,
        resource: Resource,
        decode: Callable[[bytes], V],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        indexes: Mapping[str, IndexFunction[V]] | None = None,
        metadata_only: bool = False,
        managed_fields: bool = True,
        optional: bool = False,
    ) -> Informer[V]:
        """A cache of one resource by its plural's name; ``decode`` gives its views.

        It holds one ``namespace``, or those of the process: then each has a stream of its own, ``plural/namespace`` in
        logs and metrics. What the server is asked for is said in `ClientListWatch`; ``optional`` is a kind that it may
        not serve.
        """

        def stream(name: str, namespace: str) -> StreamInformer[V]:
            source = ClientListWatch(
                self.client,
                resource,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                metadata_only=metadata_only,
                managed_fields=managed_fields,
            )
            return StreamInformer(
                name,
                source,
                decode,
                clock=self.clock,
                random=self.random,
                indexes=indexes,
                metrics=self.metrics.informers,
                optional=optional,
                recovery=self.recovery,
            )

        if namespace or not self.namespaces or not resource.namespaced:
            return stream(resource.plural, namespace)
        streams = {each: stream(f"{resource.plural}/{each}", each) for each in self.namespaces}
        return NamespacedInformer(resource.plural, streams, decode)

    def controller(
        self,
        name: str,
        reconciler: Reconciler,
        *,
        workers: int = 4,
        timeout: float | None = None,
        shard: Shard | None = None,
    ) -> Controller:
        """A controller of that name, measured and traced; ``timeout`` is in seconds a pass."""
        return Controller(
            name,
            reconciler,
            clock=self.clock,
            new_id=self.new_id,
            workers=workers,
            timeout=timeout,
            shard=shard,
            metrics=self.metrics.controllers,
            queue_metrics=self.metrics.queues,
        )
