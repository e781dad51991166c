"""Commands beside a container's own."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.errors import CommandNotStarted, ContainerNotFound, PodNotFound
from aiop.sim.processes.podaccess import Streams
from support.processpods import ProcessBench, process_pods, ready, running

POD = ObjectKey("team", "pod")
WAITS: dict[str, Any] = {
    "name": "main",
    "image": "shell:1",
    "env": [{"name": "COLOUR", "value": "blue"}],
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
}
DATA = [{"name": "data", "emptyDir": {}}]


class Ears:
    """What a command has said."""

    def __init__(self) -> None:
        self.out = b""
        self.err = b""

    async def hear_out(self, data: bytes) -> None:
        self.out += data

    async def hear_err(self, data: bytes) -> None:
        self.err += data

    def streams(self, stdin: AsyncIterator[bytes] | None = None, sizes: Any = None) -> Streams:
        return Streams(stdin, self.hear_out, self.hear_err, sizes)


async def once(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def running_pod(bench: ProcessBench) -> None:
    await bench.pod("pod", WAITS, volumes=DATA)
    await bench.seen("pod", ready)


async def test_a_command_has_the_containers_variables_and_mounts_and_its_own_streams(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        ears = Ears()
        script = "echo $COLOUR; echo no >&2; cat; echo kept > /data/file; exit 7"
        code = await bench.pods.execute(POD, "", ["sh", "-c", script], ears.streams(once(b"in", b"put")))
        assert (code, ears.out, ears.err) == (7, b"blue\ninput", b"no\n")
        assert next(tmp_path.rglob("data/file")).read_text() == "kept\n"  # noqa: ASYNC240 - a handful of files


async def test_a_large_stream_comes_through_whole_however_slow_the_reader(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        heard = 0

        async def slowly(data: bytes) -> None:
            nonlocal heard
            heard += len(data)
            await asyncio.sleep(0.001)

        pieces = [b"x" * 65536] * 64
        assert await bench.pods.execute(POD, "main", ["cat"], Streams(once(*pieces), slowly)) == 0
        assert heard == 64 * 65536


async def test_a_command_that_dies_by_a_signal_tells_128_and_its_number(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        assert await bench.pods.execute(POD, "", ["sh", "-c", "kill -9 $$"], Streams()) == 137


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        with pytest.raises(CommandNotStarted, match="no-such-command"):
            await bench.pods.execute(POD, "", ["no-such-command"], Streams())
        with pytest.raises(CommandNotStarted):
            await bench.pods.execute(POD, "", [], Streams())
        with pytest.raises(ContainerNotFound):
            await bench.pods.execute(POD, "other", ["true"], Streams())
        with pytest.raises(PodNotFound):
            await bench.pods.execute(ObjectKey("team", "nobody"), "", ["true"], Streams())


async def test_who_stops_waiting_ends_the_command_and_its_children(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        ears = Ears()
        script = "setsid sleep 1000 & echo $!; wait"
        task = asyncio.create_task(bench.pods.execute(POD, "", ["sh", "-c", script], ears.streams()))
        await bench.until(lambda: ears.out)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not alive(int(ears.out))


async def test_the_end_of_the_container_ends_its_commands(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        ears = Ears()
        task = asyncio.create_task(bench.pods.execute(POD, "", ["sh", "-c", "echo $$; sleep 1000"], ears.streams()))
        await bench.until(lambda: ears.out)
        await bench.bench.delete(PODS, "pod")
        assert await task == 137
        assert not alive(int(ears.out))


@pytest.mark.parametrize("code", [0, 7])
async def test_a_command_that_ended_before_its_container_tells_its_own_code(tmp_path: Path, code: int) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        heard, go_on = asyncio.Event(), asyncio.Event()

        async def hold(_: bytes) -> None:
            heard.set()
            await go_on.wait()

        script = f"echo done; exit {code}"
        task = asyncio.create_task(bench.pods.execute(POD, "", ["sh", "-c", script], Streams(stdout=hold)))
        await bench.until(heard.is_set)
        await bench.bench.delete(PODS, "pod")
        await bench.gone("pod")
        go_on.set()
        assert await task == code


async def test_what_a_command_said_before_its_container_ended_is_heard(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        go_on, said = asyncio.Event(), bytearray()

        async def hold(data: bytes) -> None:
            said.extend(data)
            await go_on.wait()

        script = f"head -c 120000 /dev/zero; touch {tmp_path}/written; sleep 1000"
        task = asyncio.create_task(bench.pods.execute(POD, "", ["sh", "-c", script], Streams(stdout=hold)))
        await bench.until((tmp_path / "written").exists)
        await bench.bench.delete(PODS, "pod")
        await bench.gone("pod")
        go_on.set()
        assert await task == 137
        assert len(said) == 120_000


async def test_a_command_can_have_a_terminal(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await running_pod(bench)
        ears = Ears()
        keys: asyncio.Queue[bytes] = asyncio.Queue()
        resized = asyncio.Event()

        async def typed() -> AsyncIterator[bytes]:
            while True:
                yield await keys.get()

        async def sizes() -> AsyncIterator[tuple[int, int]]:
            yield 100, 40
            resized.set()

        task = asyncio.create_task(bench.pods.execute(POD, "", ["sh", "-i"], ears.streams(typed(), sizes()), tty=True))
        await bench.until(resized.is_set)
        await keys.put(b"tty; stty size\n")
        await bench.until(lambda: b"40 100" in ears.out)
        assert b"/dev/" in ears.out
        await keys.put(b"exit 3\n")
        assert await asyncio.wait_for(task, 20) == 3


async def test_the_annotation_chooses_the_container(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        chosen = {"kubectl.kubernetes.io/default-container": "other"}
        other = WAITS | {"name": "other", "env": [{"name": "COLOUR", "value": "red"}]}
        await bench.pod("pod", WAITS, other, volumes=DATA, annotations=chosen)
        await bench.seen("pod", lambda pod: running(pod, "other"))
        ears = Ears()
        await bench.pods.execute(POD, "", ["sh", "-c", "echo $COLOUR"], ears.streams())
        assert ears.out == b"red\n"
