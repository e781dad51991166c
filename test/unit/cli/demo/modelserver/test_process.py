"""The model server as a pod runs it: a process with Triton's arguments, told to stop by SIGTERM."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiop.cli.demo.model.store import DAMAGED, NEXT
from aiop.cli.demo.modelserver.__main__ import _serve
from aiop.cli.demo.modelserver.app import application
from aiop.cli.demo.modelserver.model import Signature
from support.demomodels import model_folder
from support.kubectl import eventually

BOUND_SECONDS = 60


def command(folder: Path, port: int, *more: str) -> list[str]:
    """As a pod of an ONNX model has it: our options, then what the operator makes for Triton, but for the port."""
    ours = (f"--model-folder={folder}", "--model-name=bert-base-uncased")
    theirs = ("tritonserver", "--model-repository=/mnt/models", f"--http-port={port}", "--grpc-port=8001")
    start = (sys.executable, "-m", "aiop.cli.demo.modelserver")
    return [*start, *ours, *theirs, "--metrics-port=8002", *more]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int, path: str, body: bytes | None = None) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, BOUND_SECONDS) as answer:
        return dict(json.load(answer))


def is_ready(port: int) -> bool:
    try:
        return answers(port, "/v2/health/ready") == {"ready": True}
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """One that serves the next version."""
    started = subprocess.Popen(
        command(model_folder(NEXT), port, f"--pid-file={tmp_path}/pid"), stderr=subprocess.PIPE, text=True
    )
    try:
        eventually(lambda: is_ready(port), seconds=BOUND_SECONDS)
        yield started
    finally:
        started.kill()
        started.communicate()


def test_it_serves_the_model_of_its_repository_and_says_that_it_is_a_stand_in(
    server: subprocess.Popen[str], port: int
) -> None:
    said = answers(port, "/v2/models/bert-base-uncased/infer", b'{"text": "I was not disappointed"}')
    assert (said["version"], said["label"]) == ("v1.1.0", "positive")
    server.send_signal(signal.SIGTERM)
    _, log = server.communicate(timeout=BOUND_SECONDS)
    assert f"bert-base-uncased v1.1.0, a stand-in for BERT, is served at http://127.0.0.1:{port}" in log


@pytest.fixture
def executor() -> Iterator[Executor]:
    """Outside the event loop: its end is waited for."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


class BusyModel:
    """Begins to answer, and answers once it is let."""

    name, number, version = "busy", "1", "v1"
    inputs, outputs = (), (Signature("n", "INT64", (-1,)),)

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def run(self, _inputs: object, _outputs: object) -> dict[str, Any]:
        self.begun.set()
        assert self.may_end.wait(BOUND_SECONDS)
        return {"n": np.array([42])}


async def test_sigterm_lets_it_answer_what_is_in_progress_before_it_ends(port: int, executor: Executor) -> None:
    model = BusyModel()
    app = application(model, executor)  # type: ignore[arg-type]  # what matters of it
    serving = asyncio.create_task(_serve(app, "127.0.0.1", port, "a busy model"))
    async with asyncio.timeout(BOUND_SECONDS):
        while not await asyncio.to_thread(is_ready, port):
            assert not serving.done()
        asking = asyncio.create_task(asyncio.to_thread(answers, port, "/v2/models/busy/infer", b'{"inputs": []}'))
        await asyncio.to_thread(model.begun.wait)
        os.kill(os.getpid(), signal.SIGTERM)
        while await asyncio.to_thread(is_ready, port):
            assert not asking.done()
        model.may_end.set()
        assert (await asking)["outputs"] == [{"name": "n", "datatype": "INT64", "shape": [1], "data": [42]}]
        await serving


def test_the_port_that_the_cluster_gives_for_the_listed_one_is_taken(tmp_path: Path, port: int) -> None:
    started = subprocess.Popen(
        command(model_folder(), 8000), env={**os.environ, "AIOP_PORT_8000": str(port)}, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: is_ready(port), seconds=BOUND_SECONDS)
    finally:
        started.kill()
        started.wait()


def test_its_number_stands_in_the_file_that_it_is_told(server: subprocess.Popen[str], tmp_path: Path) -> None:
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"


def test_sigterm_ends_it_well(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(BOUND_SECONDS) == 0


def test_a_damaged_file_ends_it_with_the_cause_as_its_last_word(port: int) -> None:
    done = subprocess.run(
        command(model_folder(DAMAGED), port), capture_output=True, text=True, check=False, timeout=BOUND_SECONDS
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {model_folder(DAMAGED)}/1/model.onnx (")
    assert "cannot be loaded: " in last
    assert "Protobuf parsing failed" in last


def test_an_empty_folder_ends_it_with_what_it_looked_for(tmp_path: Path, port: int) -> None:
    done = subprocess.run(command(tmp_path, port), capture_output=True, text=True, check=False, timeout=BOUND_SECONDS)
    assert done.returncode == 1
    assert done.stderr == f"error: no model in {tmp_path}: there is no <number>/model.onnx\n"


def test_a_port_that_is_taken_ends_it_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        done = subprocess.run(
            command(model_folder(), port), capture_output=True, text=True, check=False, timeout=BOUND_SECONDS
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: cannot listen on 127.0.0.1:{port}: Address already in use"


def test_an_argument_that_it_does_not_know_is_refused(tmp_path: Path, port: int) -> None:
    done = subprocess.run(
        command(tmp_path, port, "--model-control-mode=explicit"), capture_output=True, text=True, check=False,
        timeout=BOUND_SECONDS,
    )  # fmt: skip
    assert done.returncode == 2
    assert "unrecognized arguments: --model-control-mode=explicit" in done.stderr
