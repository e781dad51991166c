"""The same watch by kopf: `python -m hack.bench.kopfreader KUBECONFIG COUNT`, in an environment of its own.

An event handler that counts: the least that an operator on kopf does. No event is posted and nothing is logged.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import kopf  # type: ignore[import-not-found]  # only its own environment has it

from hack.bench.meter import Meter, Reading, tell


def _operator(server: str, count: int, stop: asyncio.Event) -> tuple[Any, list[Reading]]:
    """A registry with the handler, and where its reading will be."""
    registry = kopf.OperatorRegistry()
    readings: list[Reading] = []
    meter: list[Meter] = []
    seen = 0

    async def login(**_: Any) -> Any:
        return kopf.ConnectionInfo(server=server)

    async def start(settings: Any, **_: Any) -> None:
        settings.posting.enabled = False
        meter.append(Meter())

    async def handle(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            readings.append(meter[0].read(seen))
            stop.set()

    kopf.on.login(registry=registry)(login)
    kopf.on.startup(registry=registry)(start)
    kopf.on.event("", "v1", "pods", registry=registry)(handle)
    return registry, readings


async def _read(server: str, count: int) -> Reading:
    stop = asyncio.Event()
    registry, readings = _operator(server, count, stop)
    await kopf.operator(registry=registry, clusterwide=True, standalone=True, stop_flag=stop)
    return readings[0]


def main() -> int:
    """Read and tell."""
    kubeconfig, count = sys.argv[1:]
    server = json.loads(Path(kubeconfig).read_text())["clusters"][0]["cluster"]["server"]
    logging.disable()
    tell(asyncio.run(_read(server, int(count))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
