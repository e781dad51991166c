"""oci:// through requests, as the OCI distribution specification has it.

The layers of an artifact are files, named by their titles, or packed folders.

The manifest is pinned by its digest, and every layer is verified against its own. Container images are refused: their
layers are a system's files, links among them.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.refusals import refusal
from aiop.fetcher.sources.registrytoken import RegistrySession
from aiop.fetcher.sources.web import OK, PARTIAL, check_part, pour, quiet_session, reaching, span
from aiop.fetcher.uri import OciUri

_KEYS = "OCI_USERNAME and OCI_PASSWORD, or .dockerconfigjson"
_MANIFEST, _INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
_ACCEPTED = f"{_MANIFEST}, {_INDEX}, application/vnd.docker.distribution.manifest.v2+json"
# The distribution specification asks registries to take manifests of 4 MiB at least; few take more.
_MANIFEST_BYTES = 4 * 1024 * 1024
_TITLES = ("org.opencontainers.image.title", "org.cncf.model.filepath")
# The CNCF's ModelPack types say in their names whether a layer is packed.
_MODEL_PACK = "vnd.cncf.model."
_UNPACK = "io.deis.oras.content.unpack"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The names of Docker's own registry, and the host that serves it.
_HUB, _HUB_SERVER = ("docker.io", "index.docker.io"), "registry-1.docker.io"
_IMAGE_CONFIGS = ("application/vnd.oci.image.config.", "application/vnd.docker.container.image.")


def open_source(uri: OciUri, environment: Mapping[str, str]) -> "OciSource":
    """The artifact of ``uri``."""
    user, password = credentials(uri.registry, environment)
    return OciSource(RegistrySession(quiet_session(), user, password), uri, given=bool(user or password))


def credentials(registry: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """User and password for ``registry``, empty if there are none; raises Failed for a broken configuration."""
    user, password = value_of(environment, "OCI_USERNAME"), value_of(environment, "OCI_PASSWORD")
    text = value_of(environment, ".dockerconfigjson")
    if user or password or not text:
        return user, password
    try:
        known = {_host(name): entry for name, entry in json.loads(text)["auths"].items()}
        names = _HUB if registry in _HUB else (registry,)
        entry: Mapping[str, Any] = next((known[name] for name in names if name in known), {})
        if entry.get("auth"):
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
            return user, password
        return str(entry.get("username", "")), str(entry.get("password", ""))
    except (ValueError, LookupError, TypeError, AttributeError, binascii.Error) as error:
        raise Failed(".dockerconfigjson is not a Docker configuration; make the Secret with kubectl.") from error


def _host(name: str) -> str:
    """Docker writes some hosts as URLs."""
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]


class OciSource:
    """The layers of one manifest."""

    def __init__(self, session: RegistrySession, uri: OciUri, *, given: bool) -> None:
        self._session, self._uri, self._given = session, uri, given
        self._what = f"The registry's {uri.repository}"
        self._base = f"https://{uri.registry}/v2/{uri.repository}"
        if uri.registry in _HUB:
            self._base = (
                f"https://{_HUB_SERVER}/v2/{uri.repository if '/' in uri.repository else f'library/{uri.repository}'}"
            )

    def files(self) -> Iterator[RemoteFile]:
        """A file for each layer; layers without a title are packed folders."""
        manifest = self._manifest(self._uri.reference)
        if str(manifest.get("config", {}).get("mediaType", "")).startswith(_IMAGE_CONFIGS) and not _titled(manifest):
            raise Failed(f"{self._what} is a container image, not an artifact; push the model with `oras push`.")
        for number, layer in enumerate(manifest["layers"]):
            yield self._file(layer, number)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The layer's bytes; they have their digest as key, so no other version can come."""
        with self._get(f"blobs/{file.key}", {"Range": span(start, stop)}) as answer, reaching(self._what):
            check_part(answer, file, start, stop)
            pour(answer, sink)

    def _manifest(self, reference: str, *, nested: bool = False) -> dict[str, Any]:
        with self._get(f"manifests/{reference}", {"Accept": _ACCEPTED}) as answer, reaching(self._what):
            body = answer.raw.read(_MANIFEST_BYTES + 1, decode_content=True)
        if reference.startswith("sha256:") and reference != f"sha256:{hashlib.sha256(body).hexdigest()}":
            raise Failed(f"{self._what} has a manifest that does not have its digest; the registry is at fault.")
        try:
            manifest: dict[str, Any] = json.loads(body)
            entries = manifest.get("manifests")
            if entries is None:
                _check_layers(manifest)
                return manifest
            digests = [entry["digest"] for entry in entries]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Failed(f"{self._what} has no manifest that can be read.") from error
        if nested or len(digests) != 1 or not _DIGEST.fullmatch(str(digests[0])):
            raise Failed(f"{self._what} is an index of {len(digests)} manifests; name one by its digest.")
        return self._manifest(digests[0], nested=True)

    def _file(self, layer: Mapping[str, Any], number: int) -> RemoteFile:
        notes = layer.get("annotations") or {}
        title = next((str(notes[key]) for key in _TITLES if notes.get(key)), "")
        media = str(layer.get("mediaType", ""))
        packed = str(notes.get(_UNPACK, "")).lower() == "true" or (
            "tar" in media and (not title or _MODEL_PACK in media)
        )
        if not title and not packed:
            raise Failed(f"{self._what} has a layer without a title; push the model with `oras push`.")
        suffix = ".tar.gz" if "gzip" in media or notes.get(_UNPACK) else ".tar"
        name = f"layer-{number}{suffix}" if packed else title
        return RemoteFile(
            name=name,
            key=layer["digest"],
            size=layer["size"],
            version=layer["digest"],
            digest=layer["digest"],
            unpack=packed,
        )

    def _get(self, path: str, headers: Mapping[str, str]) -> requests.Response:
        with reaching(self._what):
            answer = self._session.get(f"{self._base}/{path}", headers)
        if answer.status_code in {OK, PARTIAL}:
            return answer
        with answer:
            raise refusal(answer.status_code, what=self._what, keys=_KEYS, given=self._given)


def _check_layers(manifest: Mapping[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError unless the layers are what the specification says."""
    for layer in manifest["layers"]:
        if not _DIGEST.fullmatch(layer["digest"]) or not isinstance(layer["size"], int) or layer["size"] < 0:
            raise ValueError("no layer")


def _titled(manifest: Mapping[str, Any]) -> bool:
    return any((layer.get("annotations") or {}).get(title) for layer in manifest["layers"] for title in _TITLES)
