"""Volumes as folders of this machine."""

import base64
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS, PERSISTENTVOLUMECLAIMS, PODS
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import ClusterAPI
from aiop.sim.processes.errors import VolumeNotMounted
from aiop.sim.processes.mounts import Mounts
from aiop.sim.processes.programs import ProgramTable
from aiop.sim.processes.sources import SECRETS
from aiop.sim.processes.volumes import Volumes, subpath_of
from support.processpods import ProcessBench, process_pods, ready

Object = dict[str, Any]


def shell(script: str, *mounts: Object, **rest: Any) -> Object:
    return {"name": "main", "image": "shell:1", "args": [f"{script}; sleep 1000"], "volumeMounts": list(mounts), **rest}


def mount(name: str, path: str, **rest: Any) -> Object:
    return {"name": name, "mountPath": path, **rest}


async def logged(bench: ProcessBench, text: str) -> None:
    async def look() -> bool:
        return text == await bench.log("pod", "main")

    await bench.until(look)


async def test_files_come_from_config_maps_secrets_and_the_pod_itself(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.bench.make(CONFIGMAPS, "settings", data={"a": "A", "b": "B"}, binaryData={"c": "/w=="})
        await bench.bench.make(SECRETS, "keys", data={"token": base64.b64encode(b"s3cret").decode()})
        volumes = [
            {"name": "map", "configMap": {"name": "settings", "items": [{"key": "a", "path": "deep/a.txt"}]}},
            {"name": "secret", "secret": {"secretName": "keys"}},
            {
                "name": "pod",
                "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
            },
            {
                "name": "all",
                "projected": {"sources": [{"configMap": {"name": "settings"}}, {"secret": {"name": "keys"}}]},
            },
        ]
        script = "cat /map/deep/a.txt /secret/token /pod/labels; echo; cat /all/b /all/token; echo"
        mounts = [mount("map", "/map"), mount("secret", "/secret"), mount("pod", "/pod"), mount("all", "/all")]
        await bench.pod("pod", shell(script, *mounts), volumes=volumes, labels={"app": "x"})
        await bench.seen("pod", ready)
        await logged(bench, 'As3cretapp="x"\nBs3cret\n')


async def test_a_secrets_files_are_for_their_owner_alone_and_go_with_the_pod(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.bench.make(SECRETS, "keys", data={"token": "eA=="})
        volumes = [{"name": "secret", "secret": {"secretName": "keys", "defaultMode": 0o644}}]
        await bench.pod("pod", shell("true", mount("secret", "/secret")), volumes=volumes)
        await bench.seen("pod", ready)
        [token] = list(tmp_path.rglob("token"))  # noqa: ASYNC240 - a folder of three files
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert stat.S_IMODE(bench.pods.folder.stat().st_mode) == 0o700
        await bench.bench.delete(PODS, "pod")
        await bench.gone("pod")
        await bench.until(lambda: list(tmp_path.rglob("token")) == [])


async def test_a_volume_that_cannot_be_mounted_says_why_and_is_mounted_once_it_can_be(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        volumes = [{"name": "map", "configMap": {"name": "settings"}}]
        await bench.pod("pod", shell("cat /map/a", mount("map", "/map")), volumes=volumes)
        words = ("FailedMount", 'MountVolume.SetUp failed for volume "map" : configmap "settings" not found')

        async def said() -> bool:
            return words in await bench.events("pod")

        await bench.until(said)
        await bench.bench.make(CONFIGMAPS, "settings", data={"a": "A"})
        await bench.seen("pod", ready)


async def test_a_file_follows_its_config_map_within_a_minute(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.bench.make(CONFIGMAPS, "settings", data={"a": "old", "gone": "x"})
        volumes = [{"name": "map", "configMap": {"name": "settings"}}]
        await bench.pod("pod", shell("true", mount("map", "/map")), volumes=volumes)
        await bench.seen("pod", ready)
        await bench.bench.change(CONFIGMAPS, "settings", {"data": {"a": "new", "gone": None}})
        [file] = bench.pods.folder.rglob("map/a")
        await bench.bench.clock.advance(60)
        await bench.until(lambda: file.read_text() == "new" and not file.with_name("gone").exists())


async def test_a_claim_is_the_directory_that_the_table_names_or_one_of_the_clusters_own(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "bert" / "v1").mkdir(parents=True)
    (models / "bert" / "v1" / "model.onnx").write_text("weights")
    async with process_pods(tmp_path, claims={"models": models}) as bench:
        size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        for name in ("models", "scratch"):
            await bench.bench.make(PERSISTENTVOLUMECLAIMS, name, spec=size)
        volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("models", "scratch")]
        script = "cat /mnt/model/model.onnx; echo; echo kept > /scratch/file"
        mounts = [mount("models", "/mnt/model", subPath="bert/v1", readOnly=True), mount("scratch", "/scratch")]
        await bench.pod("pod", shell(script, *mounts), volumes=volumes)
        await bench.seen("pod", ready)
        await logged(bench, "weights\n")
        await bench.until((tmp_path / "claims" / "team" / "scratch" / "file").exists)
        await bench.bench.delete(PODS, "pod")
        await bench.gone("pod")
        assert (tmp_path / "claims" / "team" / "scratch" / "file").read_text() == "kept\n"


async def test_a_path_of_the_host_mounts_only_if_the_table_names_it(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod(
            "pod", shell("true", mount("etc", "/host")), volumes=[{"name": "etc", "hostPath": {"path": "/etc"}}]
        )

        async def said() -> bool:
            return any(reason == "FailedMount" and "/etc" in words for reason, words in await bench.events("pod"))

        await bench.until(said)


@pytest.mark.parametrize("path", ["../up", "a/../../up", "/etc"])
def test_no_path_leads_out_of_its_volume(path: str) -> None:
    with pytest.raises(VolumeNotMounted):
        subpath_of(Path("/volume"), path)


@pytest.mark.parametrize(
    "volume",
    [
        {"name": "map", "configMap": {"name": "settings", "items": [{"key": "a", "path": "../../../evil"}]}},
        {"name": "../../evil", "configMap": {"name": "settings"}},
        {"name": "../../evil", "emptyDir": {}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "../../evil"}},
    ],
    ids=["item", "volume with files", "empty volume", "claim"],
)
async def test_a_name_that_leads_elsewhere_makes_no_file_there(tmp_path: Path, volume: Object) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "A"}}
    pod = {"metadata": {"namespace": "team"}, "spec": {"volumes": [volume], "nodeName": "node"}}
    volumes = Volumes(
        pod,
        tmp_path / "a" / "b" / "volumes",
        tmp_path / "claims",
        api=cast("ClusterAPI", Answering(settings)),
        table=ProgramTable({}),
        addresses={"podIP": "127.0.0.1", "hostIP": "127.0.0.1"},
    )
    with pytest.raises(VolumeNotMounted):
        await volumes.mount()
    assert list(tmp_path.rglob("evil")) == []  # noqa: ASYNC240 - an empty folder


class Answering:
    """An API that answers every question alike."""

    def __init__(self, obj: Object) -> None:
        self._obj = obj

    async def get(self, resource: Resource, key: ObjectKey) -> Object:
        return self._obj


def test_mounted_paths_are_replaced_wherever_they_stand_and_no_others() -> None:
    mounts = Mounts({"/mnt/models": Path("/l/m"), "/mnt": Path("/l"), "/mnt/models/deep": Path("/d")})
    for text, wanted in {
        "/mnt/models": "/l/m",
        "/mnt/models/bert": "/l/m/bert",
        "--store=/mnt/models,/mnt/models/deep/x": "--store=/l/m,/d/x",
        "/mnt/models:/mnt": "/l/m:/l",
        "file:///mnt/models/a": "file:///l/m/a",
        "/mnt/models2": "/l/models2",
        "/x/mnt/models": "/x/mnt/models",
        "http://host/mnt/models": "http://host/mnt/models",
        "s3://mnt/models": "s3://mnt/models",
        "/mnt.old": "/mnt.old",
    }.items():
        assert mounts.rewritten(text) == wanted
