"""Pods come and go by the hundred: nothing of them is kept, and a cluster that ends among them leaves nothing."""

import asyncio
import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.podaccess import Streams
from support.processpods import ProcessBench, process_pods, ready, running

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it is counted where Linux counts it")

SLEEPS: dict[str, Any] = {
    "name": "main",
    "image": "shell:1",
    "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
}
AT_ONCE, ROUNDS = 8, 3


def kept() -> dict[str, int]:
    gc.collect()
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "tasks": len(asyncio.all_tasks()),
        "processes": len(children()),
    }


def children() -> list[int]:
    """Of this process, zombies too."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(each.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(each.parent.name))
    return found


def processes_of(folder: Path) -> list[str]:
    """Every process that has the folder in its environment, as each of a pod has."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (each / "environ").read_bytes():
                found.append((each / "cmdline").read_bytes().decode())
    return found


async def come_and_go(bench: ProcessBench, number: int) -> None:
    names = [f"pod-{number}-{each}" for each in range(AT_ONCE)]
    for name in names:
        await bench.pod(name, SLEEPS)
    for name in names:
        await bench.seen(name, ready)
    assert await bench.pods.execute(ObjectKey("team", names[0]), "", ["true"], Streams()) == 0
    assert await bench.log(names[0]) == ""
    for name in names:
        await bench.bench.delete(PODS, name)
    for name in names:
        await bench.gone(name)
    await bench.until(lambda: not list(bench.pods.folder.iterdir()))


async def test_pods_that_have_gone_leave_no_descriptor_no_task_and_no_process(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await come_and_go(bench, 0)
        await bench.until(lambda: kept()["processes"] == 1, kept)  # the one that removes files
        before = kept()
        for number in range(1, ROUNDS):
            await come_and_go(bench, number)
        await bench.until(lambda: kept() == before, lambda: (before, kept()))


@pytest.mark.parametrize("seconds", [0.0, 0.3])
async def test_a_cluster_that_ends_while_pods_start_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    before = kept()
    async with process_pods(tmp_path) as bench:
        for number in range(50):
            await bench.pod(f"pod-{number}", {"name": "main", "image": "shell:1"})
        await bench.seen("pod-0", running)
        await asyncio.sleep(seconds)  # so that it finds them at other steps
    assert processes_of(tmp_path) == []
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - as good, and not mistaken for slow
    assert kept() == before
