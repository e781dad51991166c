"""Pods that ask for what cannot be, or would lead where they have no business: each says why, and harms nobody."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aiop.sim.processes import janitor
from support.processpods import container_status, process_pods, state

Object = dict[str, Any]
SHELL: Object = {"name": "main", "image": "shell:1"}
MOUNT: Object = {"name": "own", "mountPath": "/own"}
FIELDS: Object = {"fieldRef": {"fieldPath": "metadata.name"}}
# An account that owns nothing.
NOBODY = 65534


def volume(*paths: str) -> Object:
    """A volume of files, each with the pod's name in it."""
    return {"name": "own", "downwardAPI": {"items": [{"path": each, **FIELDS} for each in paths]}}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"workingDir": "/own/name", "volumeMounts": [MOUNT]}, "File exists"),
        ({"volumeMounts": [{**MOUNT, "subPath": "name/more"}]}, "Not a directory"),
        ({"lifecycle": {"stopSignal": "SIGNONE"}}, "the stop signal 'SIGNONE' does not exist"),
        ({"lifecycle": {"stopSignal": "SIGRTMIN+many"}}, "the stop signal 'SIGRTMIN+many' does not exist"),
    ],
)
async def test_a_container_that_cannot_be_made_waits_and_says_why(
    tmp_path: Path, container: Object, words: str
) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("bad", {**SHELL, **container}, volumes=[volume("name")])
        pod = await bench.seen("bad", lambda pod: state(pod, "waiting").get("reason") == "CreateContainerConfigError")
        assert words in state(pod, "waiting")["message"]


async def test_files_of_a_volume_that_are_in_each_others_way_do_not_mount(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("bad", {**SHELL, "volumeMounts": [MOUNT]}, volumes=[volume("name", "name/more")])

        async def told() -> bool:
            return any(
                reason == "FailedMount" and "File exists" in words for reason, words in await bench.events("bad")
            )

        await bench.until(told)


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"env": [{"name": "ZERO", "value": "a\0b"}]}, "embedded null byte"),
        ({"command": ["sh", "-c", "true\0"]}, "embedded null byte"),
        ({"env": [{"name": "A=B", "value": "c"}]}, "illegal environment variable name"),
        ({"command": ["/" + "a" * 200_000]}, "file name too long"),
        ({"env": [{"name": f"V{each}", "value": "x" * 100_000} for each in range(30)]}, "argument list too long"),
    ],
    ids=["a zero byte in a variable", "a zero byte in an argument", "a bad name", "a long name", "a huge environment"],
)
async def test_a_command_line_that_no_system_takes_cannot_start_and_says_why(
    tmp_path: Path, container: Object, words: str
) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("bad", {**SHELL, **container}, restartPolicy="Never")
        ended = state(await bench.seen("bad", lambda pod: state(pod, "terminated")), "terminated")
        assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
        assert words in ended["message"]


@pytest.mark.parametrize("directory", ["/{up}/{name}", "/own/{up}/{name}"])
async def test_no_working_directory_leads_out_of_its_pods_folder(tmp_path: Path, directory: str) -> None:
    outside = tmp_path / "outside"
    wanted = directory.format(up="/".join([".."] * 30), name=str(outside).lstrip("/"))
    container = {**SHELL, "args": ["pwd"], "workingDir": wanted, "volumeMounts": [MOUNT]}
    async with process_pods(tmp_path / "cluster") as bench:
        await bench.pod("bad", container, volumes=[{"name": "own", "emptyDir": {}}], restartPolicy="Never")
        pod = await bench.seen("bad", lambda pod: state(pod, "terminated"))
        where = Path((await bench.log("bad")).strip())
        assert where.is_relative_to(bench.pods.folder / pod["metadata"]["uid"])
    assert not outside.exists()


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"host": "a b", "port": 80}},
        {"httpGet": {"port": 70_000}},
        {"tcpSocket": {"port": 70_000}},
        {"tcpSocket": {"port": "²"}},
    ],
)
async def test_a_probe_that_cannot_be_made_has_failed(tmp_path: Path, probe: Object) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("bad", {**SHELL, "readinessProbe": {**probe, "timeoutSeconds": 60}})

        async def told() -> bool:
            return "Unhealthy" in {reason for reason, _ in await bench.events("bad")}

        await bench.until(told)


@pytest.mark.parametrize(
    "put", ["mkfifo {log}", "mkdir -p {log}/inner", "ln -s {secret} {log}"], ids=["a pipe", "a folder", "a link"]
)
async def test_whatever_a_container_leaves_in_place_of_its_message_holds_up_nobody(tmp_path: Path, put: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not the pod's")
    said = put.format(log="/dev/termination-log", secret=secret)
    container = {**SHELL, "args": [f"rm /dev/termination-log; {said}; exit 1"]}
    async with process_pods(tmp_path / "cluster") as bench:
        await bench.pod("bad", container)
        pod = await bench.seen("bad", lambda pod: container_status(pod).get("restartCount", 0) > 1)
        assert "message" not in container_status(pod)["lastState"]["terminated"]
    assert secret.read_text() == "not the pod's"


def test_folders_that_a_pod_has_closed_to_its_owner_are_removed_too() -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "pods"
        (folder / "closed" / "inner").mkdir(parents=True)
        (folder / "closed" / "inner" / "file").touch()
        (folder / "elsewhere").symlink_to(parent)
        closed = [folder / "closed" / "inner", folder / "closed"]
        for each in closed:
            each.chmod(0o000)
        mode = Path(parent).stat().st_mode
        with owned_by_nobody(Path(parent), folder, *closed):
            janitor.remove(str(folder))
        assert not folder.exists()
        assert Path(parent).stat().st_mode == mode, "what a link leads to is none of the pod's"


@contextmanager
def owned_by_nobody(*folders: Path) -> Iterator[None]:
    """Under an account that root's rights do not help; without root we are such a one."""
    if os.geteuid() != 0:
        yield
        return
    for each in folders:
        os.chown(each, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
