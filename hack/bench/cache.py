"""What a pod costs: CPU time from watch bytes to store, and memory in the store; ours and the generated model's."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

from kubernetes_asyncio.watch import Watch

from hack.bench.feed import Feed, filled, pod_informer
from hack.bench.figures import Figure, scaled
from hack.bench.pods import watch_lines

# Twice as many events: each pod is added and then modified.
_PODS = 10_000
_ROUNDS = 5
# The generated model takes a hundred times as long: this many events are enough to tell.
_MODEL_PODS = 200
_MODEL_ROUNDS = 3

Path = Callable[[bytes], Any]


def measure_cpu(scale: float) -> list[Figure]:
    """Microseconds of processor time an event, ours and kubernetes-asyncio's."""
    pods = scaled(_PODS, scale)
    data = b"".join(watch_lines(pods, versions=2))
    kilobytes = len(data) / (2 * pods) / 1000
    ours = [_cpu(_through_informer, data, 2 * pods) for _ in range(_ROUNDS)]
    few = b"".join(watch_lines(_MODEL_PODS))
    models = [_cpu(_through_models, few, _MODEL_PODS) for _ in range(_MODEL_ROUNDS)]
    how = (
        f"from watch bytes to store, index and metrics by the real client and the serving controller's informer, "
        f"handlers aside; process time, {2 * pods:,} events of {kilobytes:.1f} KB, "
        f"median of {_ROUNDS} ({min(ours):.1f} to {max(ours):.1f})"
    )
    model_how = f"its own `Watch.unmarshal_event`, {_MODEL_PODS} events, median of {_MODEL_ROUNDS}"
    return [
        Figure("CPU per Pod event", median(ours), "µs", how, goal=30.0),
        Figure("CPU per Pod event, kubernetes-asyncio's models", median(models), "µs", model_how),
        Figure("… which is so many times ours", median(models) / median(ours), "times", "of the two medians"),
    ]


def measure_memory(scale: float) -> list[Figure]:
    """KiB a cached Pod, ours and kubernetes-asyncio's."""
    pods = scaled(_PODS, scale)
    ours = _memory(_through_informer, b"".join(watch_lines(pods)), pods)
    models = _memory(_through_models, b"".join(watch_lines(_MODEL_PODS)), _MODEL_PODS)
    how = "traced allocations that stay, store and index included"
    return [
        Figure("memory per cached Pod", ours, "KiB", f"{how}; {pods:,} pods", goal=5.0),
        Figure("memory per cached Pod, kubernetes-asyncio's models", models, "KiB", f"a dict of {_MODEL_PODS} pods"),
        Figure("… which is so many times ours", models / ours, "times", "of the two"),
    ]


def _cpu(path: Path, data: bytes, events: int) -> float:
    gc.collect()
    began = time.process_time_ns()
    kept = path(data)
    spent = time.process_time_ns() - began
    del kept
    return spent / events / 1000


def _memory(path: Path, data: bytes, pods: int) -> float:
    path(data)  # what is made once, such as decoders, is not a pod's
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = path(data)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return (after - before) / pods / 1024


def _through_informer(data: bytes) -> Any:
    async def run() -> Any:
        feed = Feed(data)
        informer = pod_informer(feed)
        await filled(informer, feed)
        return informer.store

    return asyncio.run(run())


def _through_models(data: bytes) -> Any:
    """As `kubernetes_asyncio.watch.Watch` does it, by its own method, into a dict by name."""

    async def run() -> Any:
        async with Watch() as watch:
            events = (watch.unmarshal_event(line.decode(), "V1Pod")["object"] for line in data.splitlines())
            return {pod.metadata.name: pod for pod in events}

    return asyncio.run(run())
