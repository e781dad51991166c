"""What a container is told."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from aiop.runtime.client.builtin import CONFIGMAPS, PODS, SERVICES
from aiop.sim.processes import Program
from aiop.sim.processes.expansion import expanded
from aiop.sim.processes.sources import SECRETS
from support.processpods import PROGRAMS, ProcessBench, process_pods, ready, state

Object = dict[str, Any]
# Says what it was started with, and waits.
TELLS = "import json, os, sys, time; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()])); time.sleep(1000)"
TELLER = Program(launcher=[sys.executable, "-u", "-c", TELLS], entrypoint=["entry"], arguments=["one", "two"])


def tells(**rest: Any) -> Object:
    return {"name": "main", "image": "teller:1", **rest}


async def told(bench: ProcessBench, container: Object, **pod: Any) -> tuple[list[str], dict[str, str], str]:
    """Arguments, variables and directory of that container."""
    await bench.pod("told", container, **pod)
    await bench.seen("told", ready)
    arguments, variables, directory = json.loads(await _said(bench))
    return arguments, variables, directory


async def _said(bench: ProcessBench) -> str:
    async def look() -> bool:
        return "\n" in await bench.log("told", "main")

    await bench.until(look)
    return await bench.log("told", "main")


def tellers(folder: Path) -> Any:
    return process_pods(folder, {**PROGRAMS, "teller:1": TELLER})


def whole(program: Program, command: list[str], args: list[str]) -> list[str]:
    ours, its_own = program.joined(command, args)
    return [*ours, *its_own]


async def test_command_and_args_take_the_place_of_entrypoint_and_arguments_as_in_kubernetes(tmp_path: Path) -> None:
    assert whole(TELLER, [], [])[-3:] == ["entry", "one", "two"]
    assert whole(TELLER, [], ["a"])[-2:] == ["entry", "a"]
    assert whole(TELLER, ["c"], [])[4:] == ["c"]
    assert whole(TELLER, ["c"], ["a"])[4:] == ["c", "a"]
    async with tellers(tmp_path) as bench:
        arguments, _, _ = await told(
            bench,
            tells(
                command=["serve"],
                args=["--name=$(POD)", "$$(POD)", "$(NOBODY)"],
                env=[{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            ),
        )
        assert arguments == ["serve", "--name=told", "$(POD)", "$(NOBODY)"]


def test_expansion_follows_kubernetes_rules() -> None:
    known = {"A": "1", "B": "$(A)"}
    assert expanded("$(A) $$(A) $(C) $A $( $", known) == "1 $(A) $(C) $A $( $"
    assert expanded("$(B)", known) == "$(A)", "what is put in is not expanded again"
    assert expanded("$(A)", {}, {"A": "second"}) == "second"
    assert expanded("$$$$", known) == "$$"


async def test_variables_come_from_values_fields_resources_config_maps_and_secrets(tmp_path: Path) -> None:
    async with tellers(tmp_path) as bench:
        await bench.bench.make(CONFIGMAPS, "settings", data={"colour": "blue", "size": "7"})
        await bench.bench.make(SECRETS, "keys", data={"token": base64.b64encode(b"s3cret").decode()})
        env = [
            {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
            {"name": "BOTH", "value": "$(COLOUR)-$(TOKEN)-$(LATER)"},
            {"name": "LATER", "value": "x"},
            {"name": "NOT_THERE", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "MILLI", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
            {"name": "MEBIBYTES", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            {"name": "size", "value": "8"},
        ]
        container = tells(
            env=env,
            envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "MAP_"}, {"configMapRef": {"name": "settings"}}],
            resources={"limits": {"cpu": "1500m"}},
        )
        _, said, _ = await told(bench, container, labels={"app": "demo"})
        pod = await bench.bench.get(PODS, "told")
        assert said["BOTH"] == "blue-s3cret-$(LATER)"
        assert said["MAP_colour"] == "blue"
        assert (said["size"], said["MAP_size"]) == ("8", "7")
        assert "NOT_THERE" not in said
        assert (said["APP"], said["NODE"], said["IP"]) == ("demo", pod["spec"]["nodeName"], pod["status"]["podIP"])
        assert (said["CPUS"], said["MILLI"]) == ("2", "1500")
        assert said["MEBIBYTES"] in {str(16 * 1024), str(128 * 1024)}, "without a limit all that the node has"
        assert said["HOSTNAME"] == "told"
        assert said["AIOP_POD_IP"] == pod["status"]["podIP"]


async def test_nothing_of_the_callers_environment_but_the_path_is_handed_on(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    async with tellers(tmp_path) as bench:
        _, said, _ = await told(bench, tells())
        assert "AWS_SECRET_ACCESS_KEY" not in said
        assert "PATH" in said


async def test_services_of_the_namespace_are_told_as_variables_unless_the_pod_wants_none(tmp_path: Path) -> None:
    async with tellers(tmp_path) as bench:
        ports = [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090}]
        made = await bench.bench.make(SERVICES, "my-model", spec={"selector": {"a": "b"}, "ports": ports})
        address = made["spec"]["clusterIP"]
        _, said, _ = await told(bench, tells(env=[{"name": "URL", "value": "http://$(MY_MODEL_SERVICE_HOST)"}]))
        assert said["MY_MODEL_SERVICE_HOST"] == address
        assert (said["MY_MODEL_SERVICE_PORT"], said["MY_MODEL_SERVICE_PORT_METRICS"]) == ("80", "9090")
        assert said["MY_MODEL_PORT_9090_TCP_ADDR"] == address
        assert said["MY_MODEL_PORT"] == f"tcp://{address}:80"
        assert said["URL"] == f"http://{address}"
        await bench.bench.delete(PODS, "told")
        await bench.gone("told")
        _, said, _ = await told(bench, tells(), enableServiceLinks=False)
        assert "MY_MODEL_SERVICE_HOST" not in said


async def test_a_missing_secret_keeps_the_container_waiting_with_the_kubelets_words(tmp_path: Path) -> None:
    async with tellers(tmp_path) as bench:
        env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}]
        await bench.pod("told", tells(env=env))
        pod = await bench.seen("told", lambda pod: state(pod, "waiting").get("reason") == "CreateContainerConfigError")
        assert state(pod, "waiting")["message"] == 'secret "keys" not found'
        await bench.bench.make(SECRETS, "keys", data={})
        await bench.seen(
            "told", lambda pod: "couldn't find key token in Secret team/keys" in str(state(pod, "waiting"))
        )
        await bench.bench.change(SECRETS, "keys", {"data": {"token": "eA=="}})
        await bench.seen("told", ready)


async def test_a_working_directory_is_a_folder_of_the_containers_own_or_lies_in_a_mount(tmp_path: Path) -> None:
    async with tellers(tmp_path) as bench:
        _, _, directory = await told(bench, tells(workingDir="/srv/app"))
        assert directory.startswith(str(tmp_path))
        assert directory.endswith("/srv/app")
        await bench.bench.delete(PODS, "told")
        await bench.gone("told")
        mount = [{"name": "data", "mountPath": "/data"}]
        volumes = [{"name": "data", "emptyDir": {}}]
        container = tells(workingDir="/data", volumeMounts=mount, args=["--path=/data/x", "/database"])
        arguments, _, directory = await told(bench, container, volumes=volumes)
        assert directory.endswith("/volumes/data")
        assert arguments == ["entry", f"--path={directory}/x", "/database"]
