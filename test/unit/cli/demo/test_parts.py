"""The demo's parts: the cluster that it runs, the operator that it starts, the words that it ends with."""

import argparse
import asyncio
import io
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from aiop.cli.demo import clusters, command
from aiop.cli.demo.errors import DemoError, ManagerDied
from aiop.cli.demo.opened import running
from aiop.cli.demo.operator import OperatorProcess
from aiop.cli.demo.samples import sample_objects

URL = "http://127.0.0.1:8/api/v1/predict"


class DyingCluster:
    """Is ready at once and dies of ``cause`` when it is told to."""

    def __init__(self, cause: Exception) -> None:
        self._cause = cause
        self.doomed = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        try:
            await self.doomed.wait()
            raise self._cause
        finally:
            self.ended = True

    async def ready(self) -> None:
        await asyncio.sleep(0)


async def in_it(cluster: DyingCluster, *, until: asyncio.Event) -> None:
    async with running({"the simulated cluster": cluster}, cluster.ready):
        await until.wait()


async def test_the_clusters_death_ends_what_goes_on_in_it_with_its_cause() -> None:
    cluster = DyingCluster(ValueError("the scheduler fell over"))
    going_on = asyncio.create_task(in_it(cluster, until=asyncio.Event()))
    await asyncio.sleep(0)
    cluster.doomed.set()
    with pytest.raises(DemoError, match=r"the simulated cluster died: .*the scheduler fell over"):
        await asyncio.wait_for(going_on, 10)


async def test_the_cluster_ends_with_what_goes_on_in_it() -> None:
    cluster, over = DyingCluster(ValueError()), asyncio.Event()
    over.set()
    await in_it(cluster, until=over)
    assert cluster.ended


async def test_an_error_in_what_goes_on_stays_itself_and_ends_the_cluster_too() -> None:
    cluster = DyingCluster(ValueError())

    async def fails() -> None:
        async with running({"the simulated cluster": cluster}, cluster.ready):
            message = "a sample was refused"
            raise DemoError(message)

    with pytest.raises(DemoError, match="a sample was refused"):
        await fails()
    assert cluster.ended


def test_an_operator_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    async def life() -> None:
        operator = OperatorProcess(tmp_path / "absent", tmp_path / "log")
        await operator.start()
        async with asyncio.timeout(60):
            while True:
                await operator.check()
                await asyncio.sleep(0.05)

    with pytest.raises(ManagerDied, match=r"exit code 1:\n(.*\n)*.*absent"):
        asyncio.run(life())


def test_an_operator_that_was_never_started_or_has_ended_can_be_stopped(tmp_path: Path) -> None:
    async def life() -> None:
        operator = OperatorProcess(tmp_path / "absent", tmp_path / "log", arguments=["--nonsense"])
        await operator.stop()
        await operator.start()
        await operator.stop()
        await operator.stop()
        with pytest.raises(ManagerDied):
            await operator.check()

    asyncio.run(life())
    assert (tmp_path / "log").exists()


def test_what_it_suggests_names_the_namespace_and_survives_a_shell() -> None:
    said = command._what_next(Path("/tmp/a b/kubeconfig"), "team", "http://127.0.0.1:9/metrics", URL)  # noqa: S108
    lines = [shlex.split(line) for line in said.splitlines() if line.startswith("  kubectl")]
    assert len(lines) == 3
    for words in lines:
        assert words[:5] == ["kubectl", "--kubeconfig", "/tmp/a b/kubeconfig", "--namespace", "team"]  # noqa: S108
    assert lines[1][-1] == '{"spec":{"modelVersion":"v1.0.0"}}'
    assert "  curl http://127.0.0.1:9/metrics" in said
    asking = next(shlex.split(line) for line in said.splitlines() if line.startswith(f"  curl {URL}"))
    assert asking[2:] == ["-d", '{"text": "I like it"}']


def test_without_a_router_it_suggests_no_prediction() -> None:
    said = command._what_next(Path("kubeconfig"), "team", "http://127.0.0.1:9/metrics", "")
    assert said.count("curl") == 1


def test_without_a_metrics_address_it_suggests_none() -> None:
    assert "curl" not in command._what_next(Path("kubeconfig"), "team", "", "")


@pytest.mark.parametrize("words", ["no such field [/spec]", "at [bold]", "[Errno 2] No such file"])
def test_an_error_is_told_as_it_is_with_exit_code_1(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    written = io.StringIO()

    async def fails(*_: object) -> int:
        raise DemoError(words)

    monkeypatch.setattr(command, "_run", fails)
    monkeypatch.setattr(command, "DemoConsole", lambda: Console(file=written, width=200))
    assert command.run(argparse.Namespace()) == 1
    assert written.getvalue() == f"The demo ends: {words}\n"


def test_the_samples_are_three_workloads_and_the_claim_that_they_share() -> None:
    found = [str(sample["kind"]) for sample in sample_objects()]
    assert found == ["AIWorkload", "AIWorkload", "AIWorkload", "PersistentVolumeClaim"]


def test_a_real_control_plane_without_a_checkout_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clusters, "_LAUNCHER", tmp_path / "absent.py")

    async def opened() -> None:
        async with clusters.real(tmp_path):
            pytest.fail("it opened")

    with pytest.raises(DemoError, match="use --cluster embedded"):
        asyncio.run(opened())


def test_a_current_cluster_without_a_kubeconfig_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))

    async def opened() -> None:
        async with clusters.current(tmp_path):
            pytest.fail("it opened")

    with pytest.raises(DemoError, match="absent: set KUBECONFIG, or use --cluster embedded"):
        asyncio.run(opened())
