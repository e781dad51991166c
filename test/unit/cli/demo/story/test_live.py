"""What the stage asks of the cluster, and what it makes of the answers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aiop.cli.demo.errors import ManagerDied, StepFailed
from aiop.cli.demo.opened import OpenCluster
from aiop.cli.demo.story.live import LiveStage, Setting
from aiop.runtime.client.client import Client
from aiop.sim.processes.errors import PodNotFound
from support.clock import FakeClock
from support.transport import ScriptedTransport

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PREDICTION = {"model": "bert-base-uncased", "version": "v1.0.0", "label": "positive", "score": 0.96}


class NoPods:
    """Processes of which there are none."""

    async def execute(self, *_arguments: Any) -> int:
        raise PodNotFound('pods "a" not found')


async def fine() -> None:
    """Nothing has died."""


def stage_on(
    router: str = "", pods: Any = None, transport: ScriptedTransport | None = None, seconds: float | None = 0.0
) -> LiveStage:
    client = Client(transport or ScriptedTransport(), clock=FakeClock())
    cluster = OpenCluster(Path("kubeconfig"), router, pods)
    return LiveStage(Setting(cluster, client, "team", ["bert-sentiment"], seconds), fine)


async def asked(answer: Mapping[str, Any] | str, status: int = 200) -> Any:
    seen: list[Any] = []

    async def predict(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response(answer, status=status) if isinstance(answer, dict) else web.Response(text=str(answer))

    app = web.Application()
    app.router.add_post("/api/v1/predict", predict)
    async with TestServer(app) as server:
        told = await stage_on(str(server.make_url("")).rstrip("/")).ask("What a day")
    assert seen == [{"text": "What a day"}]
    return told


async def test_a_sentence_goes_to_the_path_of_the_manifest_and_its_prediction_comes_back() -> None:
    told = await asked(PREDICTION)
    assert (told.version, told.label, told.score) == ("v1.0.0", "positive", 0.96)
    assert '"label": "positive"' in told.raw


@pytest.mark.parametrize("answer", ["no pod is ready", {"error": "no"}, {**PREDICTION, "score": "high"}, "[]", "1"])
async def test_any_other_answer_fails_the_step_with_what_came(answer: Any) -> None:
    with pytest.raises(StepFailed, match="no prediction came back: "):
        await asked(answer)


async def test_no_answer_fails_the_step_with_the_address() -> None:
    with pytest.raises(StepFailed, match=re.escape("http://127.0.0.1:1/api/v1/predict gave no answer")):
        await stage_on("http://127.0.0.1:1").ask("What a day")


async def test_only_the_version_is_changed() -> None:
    transport = ScriptedTransport()
    await stage_on(transport=transport).change_version("v1.1.0")
    path = "/apis/geartickler.com/v1alpha1/namespaces/team/aiworkloads/bert-sentiment"
    assert transport.lines() == [f"PATCH {path}"]
    assert transport.bodies() == [{"spec": {"modelVersion": "v1.1.0"}}]


async def test_what_does_not_come_in_time_is_named() -> None:
    with pytest.raises(StepFailed, match=r"not within 0 s: v1\.1\.0 serves"):
        await stage_on().until(lambda: False, "v1.1.0 serves")


async def test_the_death_of_the_operator_ends_every_wait() -> None:
    async def dead() -> None:
        message = "the operator ended with exit code 1"
        raise ManagerDied(message)

    stage = stage_on(seconds=None)
    stage._check = dead
    with pytest.raises(ManagerDied):
        await stage.until(lambda: False, "anything")


@pytest.mark.parametrize(
    ("pods", "words"), [(None, "no processes of this machine"), (NoPods(), 'a could not be killed: pods "a" not found')]
)
async def test_a_server_that_cannot_be_killed_fails_the_step(pods: Any, words: str) -> None:
    with pytest.raises(StepFailed, match=re.escape(words)):
        await stage_on(pods=pods).kill("a")


def test_without_a_cluster_there_is_nothing_to_show_and_nobody_is_ready() -> None:
    stage = stage_on()
    assert (stage.url, stage.rows(), stage.pods(), stage.all_ready(), stage.status().ready) == (
        "",
        [],
        [],
        False,
        False,
    )
