"""Images that the table has, and those that it has not."""

import random
from pathlib import Path

from aiop.sim.cluster.outcomes import by_image
from aiop.sim.cluster.podlife import ScriptedLives
from aiop.sim.processes import Program, ProgramTable
from support.processpods import SHELL, process_pods, ready, state


async def test_an_image_that_nobody_has_fails_as_a_pull_does(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "nobody/has:1"})
        pod = await bench.seen("pod", lambda pod: state(pod, "waiting").get("reason") == "ErrImagePull")
        assert 'failed to resolve reference "nobody/has:1": nobody/has:1: not found' in state(pod, "waiting")["message"]
        await bench.seen("pod", lambda pod: state(pod, "waiting").get("reason") == "ImagePullBackOff")
        told = await bench.events("pod")
        assert ("BackOff", 'Back-off pulling image "nobody/has:1"') in told
        assert ("Failed", "Error: ErrImagePull") in told


async def test_an_image_that_appears_is_found_at_the_next_try(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "late:1"})
        await bench.seen("pod", lambda pod: state(pod, "waiting").get("reason") == "ImagePullBackOff")
        bench.table.programs["late:1"] = SHELL
        await bench.seen("pod", ready)


async def test_one_missing_image_does_not_keep_the_other_container_from_running(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "nobody/has:1"}, {"name": "other", "image": "shell:1"})
        pod = await bench.seen("pod", lambda pod: bool(state(pod, "running", "other")))
        assert state(pod, "waiting")["reason"] in {"ErrImagePull", "ImagePullBackOff", "ContainerCreating"}


async def test_a_pod_of_unknown_images_goes_by_script_only_if_the_caller_asks(tmp_path: Path) -> None:
    async with process_pods(tmp_path, fallback=ScriptedLives(by_image, random.Random(1))) as bench:
        await bench.pod("scripted", {"name": "main", "image": "nobody/has:1"})
        pod = await bench.seen("scripted", ready)
        assert pod["status"]["podIP"].startswith("10.")
        await bench.pod("real", {"name": "main", "image": "shell:1"})
        pod = await bench.seen("real", ready)
        assert pod["status"]["podIP"].startswith("127.")


def test_the_first_pattern_that_matches_is_taken_with_or_without_the_default_registry() -> None:
    one, two = Program(entrypoint=["one"]), Program(entrypoint=["two"])
    table = ProgramTable({"team/model:v1": one, "team/*": two, "busybox:*": one})
    assert table.program_of("team/model:v1") is one
    assert table.program_of("team/model:v2") is two
    assert table.program_of("docker.io/library/busybox:1.36") is one
    assert table.program_of("other/model:v1") is None
