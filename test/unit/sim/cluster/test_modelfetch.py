"""Simulated pods that bring a model leave the fetcher's own words behind."""

import json
from typing import Any

import pytest

from aiop.controllers.serving.pod import fetching
from aiop.fetcher import errors
from aiop.runtime.client.builtin import PODS
from aiop.sim.cluster import modelfetch
from support.simulated import Bench, Object, simulated


def initial(uri: str) -> dict[str, Any]:
    """The two containers of a pod whose model lies there."""
    return {
        "initContainers": [
            {"name": name, "image": "fetcher:1", "args": [task, uri, "/mnt/models/m"]}
            for name, task in ((fetching.MEASURE, "measure"), (fetching.FETCH, "fetch"))
        ]
    }


async def status_of(bench: Bench) -> Object:
    (pod,) = await bench.all(PODS)
    status: Object = pod["status"]
    return status


def word(container: Object, state: str = "state") -> Object:
    said: Object = json.loads(container[state]["terminated"]["message"])
    return said


def test_both_sides_call_the_containers_the_same() -> None:
    assert (modelfetch.MEASURE, modelfetch.FETCH) == (fetching.MEASURE, fetching.FETCH)


async def test_a_model_is_measured_then_fetched_then_served() -> None:
    async with simulated() as bench:
        await bench.deploy("m", pod=initial("s3://models/large-model"))
        await bench.clock.advance(3.0)
        measured, fetching_now = (await status_of(bench))["initContainerStatuses"]
        assert word(measured)["reason"] == "Measured"
        assert (word(measured)["files"], word(measured)["bytes"]) == (12, 4402341478)
        assert fetching_now["state"]["running"]["startedAt"]
        await bench.clock.advance(10.0)
        status = await status_of(bench)
        assert word(status["initContainerStatuses"][1])["reason"] == "Fetched"
        assert status["containerStatuses"][0]["ready"]


@pytest.mark.parametrize(
    ("uri", "container", "reason"),
    [
        ("s3://models/no-such-model", 0, "NotFound"),
        ("s3://models/no-access", 0, "AccessDenied"),
        ("s3://models/no-credentials", 0, "MissingCredentials"),
        ("s3://models/no-space", 0, "NoSpace"),
        ("s3://models/no-answer", 1, "Unreachable"),
        ("s3://models/bad-archive", 1, "BadArchive"),
    ],
)
async def test_a_word_in_the_uri_makes_it_fail_again_and_again(uri: str, container: int, reason: str) -> None:
    async with simulated() as bench:
        await bench.deploy("m", pod=initial(uri))
        await bench.clock.advance(8.0)
        status = await status_of(bench)
        failed = status["initContainerStatuses"][container]
        assert failed["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert failed["restartCount"] >= 1
        assert word(failed, "lastState")["reason"] == reason
        assert reason in {each.reason for each in vars(errors).values() if hasattr(each, "reason")}
        assert not status["containerStatuses"][0]["ready"]


async def test_other_initial_containers_say_nothing() -> None:
    async with simulated() as bench:
        await bench.deploy("m", pod={"initContainers": [{"name": "other", "image": "a:1", "args": ["no-space"]}]})
        await bench.clock.advance(5.0)
        (other,) = (await status_of(bench))["initContainerStatuses"]
        assert other["state"]["terminated"]["exitCode"] == 0
        assert "message" not in other["state"]["terminated"]
