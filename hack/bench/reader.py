"""Reads pods and says what that took: `python -m hack.bench.reader informer watch KUBECONFIG COUNT`.

A process of its own, so that the figures of one way to read are not another's: by this project's informer, or as
kubernetes-asyncio's generated models do it, into a dict by name.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from kubernetes_asyncio.client import ApiClient, CoreV1Api
from kubernetes_asyncio.config import new_client_from_config
from kubernetes_asyncio.watch import Watch

from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.informer.informer import Event
from aiop.runtime.views.workloads import Pod
from hack.bench.feed import pod_informer
from hack.bench.meter import Meter, Reading, tell

# As ours asks.
_PAGE = 500


class UnexpectedCount(RuntimeError):
    """Raised when other objects were read than were sent: then the time of it says nothing."""


async def _informer_watches(kubeconfig: str, count: int) -> Reading:
    """``count`` events through the client and the serving controller's informer, until a handler sees the last."""
    over = asyncio.Event()
    last = str(count + 1)  # the empty list's version is 1

    def handle(event: Event[Pod]) -> None:
        if event.new is not None and event.new.metadata.resource_version == last:
            over.set()

    transport = HttpTransport(await load_connection(kubeconfig))
    informer = pod_informer(transport)
    informer.add_handler(handle)
    meter = Meter()
    running = asyncio.create_task(informer.run())
    await over.wait()
    reading = meter.read(count)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await transport.aclose()
    return reading


async def _informer_lists(kubeconfig: str, count: int) -> Reading:
    """Until the informer has synced."""
    transport = HttpTransport(await load_connection(kubeconfig))
    informer = pod_informer(transport)
    meter = Meter()
    running = asyncio.create_task(informer.run())
    await informer.wait_synced()
    reading = meter.read(len(informer.store))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await transport.aclose()
    return _whole(reading, count)


async def _models_watch(kubeconfig: str, count: int) -> Reading:
    store = {}
    async with await _api_client(kubeconfig) as client, Watch() as watch:
        meter = Meter()
        seen = 0
        async for event in watch.stream(CoreV1Api(client).list_pod_for_all_namespaces):
            pod = event["object"]
            store[pod.metadata.name] = pod
            seen += 1
            if seen == count:
                break
        return meter.read(seen)


async def _models_list(kubeconfig: str, count: int) -> Reading:
    store = {}
    async with await _api_client(kubeconfig) as client:
        meter = Meter()
        following = ""
        while True:
            page = await CoreV1Api(client).list_pod_for_all_namespaces(limit=_PAGE, _continue=following)
            store.update({pod.metadata.name: pod for pod in page.items})
            following = page.metadata._continue  # noqa: SLF001 - so the model spells its field
            if not following:
                break
        return _whole(meter.read(len(store)), count)


async def _api_client(kubeconfig: str) -> ApiClient:
    return await new_client_from_config(config_file=kubeconfig)


def _whole(reading: Reading, count: int) -> Reading:
    if reading.objects != count:
        message = f"{reading.objects} objects were read, {count} were sent"
        raise UnexpectedCount(message)
    return reading


_WAYS: dict[tuple[str, str], Callable[[str, int], Awaitable[Reading]]] = {
    ("informer", "watch"): _informer_watches,
    ("informer", "list"): _informer_lists,
    ("models", "watch"): _models_watch,
    ("models", "list"): _models_list,
}


def main() -> int:
    """Read and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("by", choices=["informer", "models"])
    parser.add_argument("what", choices=["watch", "list"])
    parser.add_argument("kubeconfig")
    parser.add_argument("count", type=int)
    options = parser.parse_args()

    async def read() -> Reading:
        return await _WAYS[options.by, options.what](options.kubeconfig, options.count)

    tell(asyncio.run(read()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
