"""CPU and memory of a container, with all its processes."""

from pathlib import Path

from aiop.runtime.client.resource import ObjectKey
from support.processpods import process_pods, ready

POD = ObjectKey("team", "pod")
# Its child burns the CPU and holds the memory.
BURNS = "import os\nif os.fork() == 0:\n    held = bytearray(64 * 2**20)\n    while True: pass\nos.wait()"


async def test_what_a_containers_children_use_counts_as_the_containers(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        idle = {"name": "idle", "image": "shell:1"}
        await bench.pod("pod", {"name": "busy", "image": "python:1", "args": [BURNS]}, idle)
        await bench.seen("pod", ready)

        async def burnt() -> bool:
            return (await bench.pods.usage(POD))["busy"].cpu_seconds > 0.3

        await bench.until(burnt)
        used = await bench.pods.usage(POD)
        assert used["busy"].resident_bytes > 64 * 2**20
        assert used["idle"].cpu_seconds < used["busy"].cpu_seconds
        assert used["idle"].resident_bytes < 64 * 2**20


async def test_what_an_ended_child_has_used_is_not_forgotten(tmp_path: Path) -> None:
    script = (
        "import os, time\nif os.fork() == 0:\n    while time.process_time() < 0.4: pass\n    os._exit(0)\n"
        "os.wait()\nprint('done')\ntime.sleep(1000)"
    )
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "python:1", "args": [script]})
        await bench.seen("pod", ready)

        async def done() -> bool:
            return await bench.log("pod") == "done\n"

        await bench.until(done)
        assert (await bench.pods.usage(POD))["main"].cpu_seconds >= 0.35
