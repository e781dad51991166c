"""OCI archives: an image layout (OCI image specification 1.1) in one tar, as `ctr images import` reads it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
# Not compressed: the archive stays on this machine, where time is dearer than room.
_LAYER = "application/vnd.oci.image.layer.v1.tar"
# By these names containerd and other readers of layouts know what an image is called.
_NAME, _TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """How a container of the image starts, unless its pod says otherwise."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = ""
    working_directory: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)


def digest_of(file: Path) -> str:
    """The file's SHA-256 in hexadecimal digits, read in pieces."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while piece := content.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def write_archive(
    target: Path, reference: str, architecture: str, layers: Sequence[Path], config: ContainerConfig
) -> None:
    """An archive with one image of that full name, its layers in order; the same bytes for the same input."""
    digests = [digest_of(layer) for layer in layers]
    described = _encoded(_image_config(architecture, digests, config))
    manifest = _encoded(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, _sha256(described), len(described)),
            "layers": [
                _descriptor(_LAYER, digest, layer.stat().st_size) for layer, digest in zip(layers, digests, strict=True)
            ],
        }
    )
    names = {_NAME: reference, _TAG: reference.rpartition(":")[2]}
    entry = _descriptor(_MANIFEST, _sha256(manifest), len(manifest)) | {"annotations": names}
    index = {"schemaVersion": 2, "manifests": [entry]}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, "oci-layout", _encoded({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _encoded(index))
        for blob in (manifest, described):
            _add(archive, f"blobs/sha256/{_sha256(blob)}", blob)
        for digest, layer in sorted(zip(digests, layers, strict=True)):
            _add_file(archive, f"blobs/sha256/{digest}", layer)


def _image_config(architecture: str, digests: Sequence[str], config: ContainerConfig) -> dict[str, Any]:
    started = {
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "User": config.user,
        "WorkingDir": config.working_directory,
        "Env": [f"{name}={value}" for name, value in config.environment.items()],
    }
    return {
        "architecture": architecture,
        "os": "linux",
        "config": {name: value for name, value in started.items() if value},
        # Layers are not compressed, so that the digest of a layer's content is its blob's.
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, name: str, file: Path) -> None:
    member = tarfile.TarInfo(name)
    member.size = file.stat().st_size
    with file.open("rb") as content:
        archive.addfile(member, content)
