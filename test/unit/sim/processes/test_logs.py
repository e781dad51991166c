"""Logs: kept by container and run, bounded, followed; and no burden to others."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes import logreading
from aiop.sim.processes.errors import ContainerNotFound, NothingLogged, PodNotFound
from aiop.sim.processes.logreading import log_pieces
from aiop.sim.processes.logrecord import record_of
from aiop.sim.processes.podaccess import LogOptions
from support.processpods import container_status, process_pods, ready, running, state

Object = dict[str, Any]
POD = ObjectKey("team", "pod")
MEBIBYTE = 2**20


def shell(script: str, **rest: Any) -> Object:
    return {"name": "main", "image": "shell:1", "args": [script], **rest}


def log_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("pods-*/*/containers/main/logs/*"))


async def test_the_end_of_a_log_is_read_with_or_without_its_times(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", shell("echo one; echo two >&2; echo three; sleep 1000"))
        await bench.seen("pod", ready)
        await bench.until(lambda: lines_of(bench, 3))
        assert sorted((await bench.log("pod")).split()) == ["one", "three", "two"]
        assert len((await bench.log("pod", tail_lines=2)).splitlines()) == 2
        assert await bench.log("pod", tail_lines=0) == ""
        assert len(await bench.log("pod", limit_bytes=5)) == 5
        stamp, _, word = (await bench.log("pod", timestamps=True)).splitlines()[0].partition(" ")
        assert datetime.fromisoformat(stamp[:26] + "+00:00") <= datetime.now(UTC)
        assert word in {"one", "two"}
        assert await bench.log("pod", since=datetime.now(UTC) + timedelta(hours=1)) == ""


async def lines_of(bench: Any, number: int, **options: Any) -> bool:
    return len((await bench.log("pod", **options)).splitlines()) >= number


async def test_a_followed_log_goes_on_until_the_container_ends(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        go = tmp_path / "go"
        script = f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two; printf rest"
        await bench.pod("pod", shell(script), restartPolicy="Never")
        await bench.seen("pod", ready)
        pieces = bench.pods.logs(POD, "", LogOptions(follow=True))
        assert await anext(pieces) == b"one\n"
        go.touch()
        assert b"".join([piece async for piece in pieces]) == b"two\nrest"


async def test_the_log_of_the_run_before_is_kept_and_the_one_before_that_is_not(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        go = tmp_path / "go"
        await bench.pod("pod", shell(f"echo one run; while [ ! -e {go} ]; do sleep 0.02; done; exit 1"))
        await bench.seen("pod", running)
        with pytest.raises(NothingLogged, match="previous terminated container"):
            await bench.log("pod", previous=True)
        go.touch()
        await bench.seen("pod", lambda pod: container_status(pod).get("restartCount") == 2)
        assert await bench.log("pod", previous=True) == "one run\n"
        assert [each.name for each in log_files(tmp_path)] == ["1.log", "2.log"]


async def test_who_asks_for_what_is_not_there_is_told_so(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        with pytest.raises(PodNotFound):
            await bench.log("pod")
        await bench.pod("pod", {"name": "main", "image": "nobody/has:1"})
        await bench.seen("pod", lambda pod: state(pod, "waiting"))
        with pytest.raises(NothingLogged, match="waiting to start"):
            await bench.log("pod")
        with pytest.raises(ContainerNotFound):
            await bench.log("pod", "other")


async def test_a_log_is_rotated_and_bounded_and_a_follower_misses_nothing(tmp_path: Path) -> None:
    count = 20000
    loop = f"for n in range({count}):\n    print(n, 'x' * 100)\n    n % 500 or time.sleep(0.02)"
    program = f"import time\n{loop}\ntime.sleep(1000)"
    container = {"name": "main", "image": "python:1", "args": [program]}
    async with process_pods(tmp_path, log_bytes=MEBIBYTE) as bench:
        await bench.pod("pod", container)
        await bench.seen("pod", ready)
        numbers: list[int] = []

        async def follow(pieces: AsyncIterator[bytes]) -> None:
            rest = b""
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                numbers.extend(int(line.split()[0]) for line in lines)
                if numbers and numbers[-1] == count - 1:
                    return

        await asyncio.wait_for(follow(bench.pods.logs(POD, "", LogOptions(follow=True))), 30)
        assert numbers == list(range(count))
        files = [each.stat().st_size for each in log_files(tmp_path)]
        assert len(files) == 2
        assert sum(files) < 2.2 * MEBIBYTE


async def test_ten_megabytes_of_log_in_a_second_hold_up_neither_the_loop_nor_a_neighbour(tmp_path: Path) -> None:
    flood = (
        "import sys, time\nline = 'x' * 999 + '\\n'\nfor _ in range(20): sys.stdout.write(line * 1000)\n"
        "print('done')\ntime.sleep(1000)"
    )
    async with process_pods(tmp_path) as bench:
        await bench.pod("neighbour", {"name": "main", "image": "web:1"})
        await bench.seen("neighbour", ready)
        await bench.pod("pod", {"name": "main", "image": "python:1", "args": [flood]})
        await bench.seen("pod", running)

        async def done() -> bool:
            return await bench.log("pod", tail_lines=1) == "done\n"

        await bench.until(done)
        assert container_status(await bench.seen("neighbour", ready))["restartCount"] == 0
        size = sum(each.stat().st_size for each in log_files(tmp_path))
        assert 8 * MEBIBYTE < size < 22 * MEBIBYTE


def test_a_line_of_a_log_file_is_read_back_and_anything_else_is_none() -> None:
    record = record_of(b"2026-01-01T00:00:00.000000001Z stdout P a b c")
    assert record is not None
    assert (record.piece, record.whole) == (b"a b c", False)
    assert record_of(b"2026-01-01T00:00:00.000000001Z stdout F ") is not None
    assert record_of(b"2026-01-01T00:00:00.0") is None
    assert record_of(b"") is None


@pytest.mark.skipif(sys.platform == "win32", reason="no processes as here")
async def test_a_line_longer_than_a_part_comes_back_as_one(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        container = {"name": "main", "image": "python:1", "args": ["print('y' * 100000)"]}
        await bench.pod("pod", container, restartPolicy="Never")
        await bench.seen("pod", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert await bench.log("pod") == "y" * 100000 + "\n"
        assert await bench.log("pod", tail_lines=1) == "y" * 100000 + "\n"


async def test_what_is_no_text_comes_back_byte_by_byte(tmp_path: Path) -> None:
    program = "import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(200000))"
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "python:1", "args": [program]}, restartPolicy="Never")
        await bench.seen("pod", lambda pod: pod["status"]["phase"] == "Succeeded")
        pieces = [piece async for piece in bench.pods.logs(POD, "", LogOptions())]
        assert b"".join(pieces) == random.Random(1).randbytes(200_000)


async def test_a_line_without_end_is_rotated_too(tmp_path: Path) -> None:
    program = "import sys\nfor _ in range(50): sys.stdout.write('z' * 100000)"
    async with process_pods(tmp_path, log_bytes=MEBIBYTE) as bench:
        await bench.pod("pod", {"name": "main", "image": "python:1", "args": [program]}, restartPolicy="Never")
        await bench.seen("pod", lambda pod: pod["status"]["phase"] == "Succeeded")
        sizes = [each.stat().st_size for each in log_files(tmp_path)]
        assert MEBIBYTE < sum(sizes) < 2.2 * MEBIBYTE
        told = await bench.log("pod", tail_lines=1)
        assert set(told) == {"z"}
        assert MEBIBYTE < len(told) < 2.2 * MEBIBYTE


STAMP = b"2026-01-01T00:00:00.000000001Z stdout F "


def rotate(log: Path, late: bytes, then: bytes) -> None:
    """As a supervisor does, with a last line before it and a first one after it."""
    with log.open("ab") as file:
        file.write(STAMP + late + b"\n")
    log.replace(f"{log}.1")
    log.write_bytes(STAMP + then + b"\n")


async def test_a_follower_misses_nothing_of_a_log_that_is_rotated_between_its_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(STAMP + b"one\n")
    looked = logreading._Tail._rotated
    looks = 0

    def rotated_first(tail: logreading._Tail) -> bool:
        nonlocal looks
        looks += 1
        if looks in {1, 3}:  # once while the whole is read, once while it is followed
            rotate(log, b"late %d" % looks, b"then %d" % looks)
        return looked(tail)

    monkeypatch.setattr(logreading._Tail, "_rotated", rotated_first)
    pieces = [piece async for piece in log_pieces(log, LogOptions(follow=True), lambda: looks > 3)]
    assert b"".join(pieces) == b"one\nlate 1\nthen 1\nlate 3\nthen 3\n"


async def test_a_log_is_told_that_is_being_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", shell("echo one; sleep 1000"))
        await bench.until(lambda: log_files(tmp_path))
        await bench.until(lambda: lines_of(bench, 1))
        [log] = log_files(tmp_path)
        log.replace(f"{log}.1")
        monkeypatch.setattr(time, "sleep", lambda _: log.touch())
        assert await bench.log("pod") == "one\n"
