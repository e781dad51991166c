"""oci:// against a container registry that asks for its user and password in each of the two ways."""

import base64
import hashlib
import io
import json
import os
import tarfile
from typing import Any

import pytest

from support.fetching.program import Program
from support.fetching.servers import Registry

CONFIG = "application/vnd.unknown.config.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
TAR_GZ, FILE = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar"
TITLE, UNPACK = "org.opencontainers.image.title", "io.deis.oras.content.unpack"
WEIGHTS = os.urandom(300_000)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def packed(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def layer(images: Registry, repository: str, content: bytes, media: str = FILE, **notes: str) -> dict[str, Any]:
    images.blob(repository, digest_of(content), content)
    named = {{"title": TITLE, "unpack": UNPACK}[key]: value for key, value in notes.items()}
    return {"mediaType": media, "digest": digest_of(content), "size": len(content), "annotations": named}


def push(
    images: Registry, repository: str, reference: str, *layers: dict[str, Any], config: str = CONFIG
) -> dict[str, Any]:
    """What `oras push` sends; returns the manifest."""
    images.blob(repository, digest_of(b"{}"), b"{}")
    kinds = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    described = {"mediaType": config, "digest": digest_of(b"{}"), "size": 2}
    manifest = {**kinds, "config": described, "layers": list(layers)}
    images.manifest(repository, reference, manifest)
    return manifest


def test_an_artifact_becomes_its_files_and_folders(program: Program, images: Registry) -> None:
    name = "team/bert"
    folder = layer(images, name, packed("onnx/model.onnx", WEIGHTS), TAR_GZ, title="onnx", unpack="true")
    push(images, name, "v1", layer(images, name, b"{}", title="config.json"), folder)
    measured, fetched = program.both(f"oci://{images.address}/{name}:v1", **images.environment)
    assert measured.outcome["files"] == 2
    assert program.contents() == {"config.json": b"{}", "onnx/model.onnx": WEIGHTS}
    assert "planted" not in measured.said + fetched.said


def test_an_artifact_is_fetched_by_its_digest(program: Program, images: Registry) -> None:
    manifest = push(images, "team/pinned", "v1", layer(images, "team/pinned", WEIGHTS, title="model.onnx"))
    digest = digest_of(json.dumps(manifest).encode())
    program.both(f"oci://{images.address}/team/pinned@{digest}", **images.environment)
    assert program.contents() == {"model.onnx": WEIGHTS}


def test_an_index_of_one_manifest_is_followed_and_one_of_two_is_not(program: Program, images: Registry) -> None:
    manifest = push(images, "team/index", "v1", layer(images, "team/index", WEIGHTS, title="model.onnx"))
    entry = {"mediaType": manifest["mediaType"], "digest": digest_of(json.dumps(manifest).encode()), "size": 1}
    images.manifest("team/index", "one", {"schemaVersion": 2, "manifests": [entry]})
    images.manifest("team/index", "two", {"schemaVersion": 2, "manifests": [entry, entry]})
    ended = program.run("measure", f"oci://{images.address}/team/index:two", **images.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "2 manifests" in ended.message
    program.both(f"oci://{images.address}/team/index:one", **images.environment)
    assert program.contents() == {"model.onnx": WEIGHTS}


@pytest.mark.parametrize("form", ["auth", "password"])
def test_a_docker_configuration_is_enough(program: Program, images: Registry, form: str) -> None:
    push(images, "team/docker", "latest", layer(images, "team/docker", WEIGHTS, title="model.onnx"))
    pair = base64.b64encode(f"{images.user}:{images.password}".encode()).decode()
    entry = {"auth": pair} if form == "auth" else {"username": images.user, "password": images.password}
    given = {".dockerconfigjson": json.dumps({"auths": {"https://other": {"auth": "eDp5"}, images.address: entry}})}
    program.both(f"oci://{images.address}/team/docker", **given)
    assert program.contents() == {"model.onnx": WEIGHTS}


def test_wrong_credentials_are_access_denied_and_said_nowhere(program: Program, images: Registry) -> None:
    given = {"OCI_USERNAME": "keeper", "OCI_PASSWORD": "planted-wrong"}
    ended = program.run("measure", f"oci://{images.address}/team/bert:v1", **given)
    assert (ended.code, ended.reason) == (1, "AccessDenied")
    assert "planted" not in ended.said + ended.message


def test_no_credentials_are_missing_credentials(program: Program, images: Registry) -> None:
    ended = program.run("measure", f"oci://{images.address}/team/bert:v1")
    assert (ended.code, ended.reason) == (1, "MissingCredentials")
    assert "OCI_USERNAME" in ended.message


def test_an_artifact_that_does_not_exist_is_not_found(program: Program, images: Registry) -> None:
    ended = program.run("measure", f"oci://{images.address}/team/nobody:v1", **images.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


def test_a_container_image_is_refused_with_what_to_do(program: Program, images: Registry) -> None:
    image = layer(images, "team/image", packed("etc/passwd", b"root"), TAR_GZ)
    push(images, "team/image", "v1", image, config=IMAGE_CONFIG)
    ended = program.run("measure", f"oci://{images.address}/team/image:v1", **images.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "oras push" in ended.message


def test_a_hostile_title_and_a_hostile_folder_are_refused(program: Program, images: Registry) -> None:
    push(images, "team/title", "v1", layer(images, "team/title", b"evil", title="../../escape"))
    ended = program.run("fetch", f"oci://{images.address}/team/title:v1", **images.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    evil = layer(images, "team/folder", packed("../../escape", b"evil"), TAR_GZ, title="onnx", unpack="true")
    push(images, "team/folder", "v1", evil)
    ended = program.run("fetch", f"oci://{images.address}/team/folder:v1", **images.environment)
    assert (ended.code, ended.reason) == (1, "BadArchive")


def test_a_registry_that_is_not_there_is_unreachable(program: Program) -> None:
    ended = program.run("measure", "oci://localhost:9/team/bert:v1")
    assert (ended.code, ended.reason) == (1, "Unreachable")
