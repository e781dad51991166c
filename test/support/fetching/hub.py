"""A small Hugging Face hub and a small Google Cloud Storage, as far as their own libraries ask."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from support.fetching.host import Body, Host, Request

_PIECE = 1024 * 1024
COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """One model ``repository`` with ``files``; those named in ``large`` lie in another store, at ``host``/large/.

    With ``token`` it is private. ``gated`` refuses as the hub does before terms are accepted. ``answer`` comes first.
    """

    host: Host
    repository: str
    files: dict[str, bytes | Body]
    large: frozenset[str] = frozenset()
    token: str = ""
    gated: bool = False
    digests: dict[str, str] = field(default_factory=dict)
    answer: Callable[[Request], bool] = lambda _request: False

    def start(self) -> None:
        self.host.routes[f"/api/models/{self.repository}/revision/"] = self._info
        self.host.routes[f"/{self.repository}/resolve/"] = self._resolve
        self.host.routes["/api/models/"] = lambda request: request.answer(401, X_Error_Code="RepoNotFound")
        self.host.routes["/large/"] = self._large

    @property
    def environment(self) -> dict[str, str]:
        return {"HF_ENDPOINT": self.host.url("")}

    def _refused(self, request: Request) -> bool:
        if self.answer(request):
            return True
        if self.gated:
            request.answer(403, X_Error_Code="GatedRepo", X_Error_Message="Access is restricted")
        elif self.token and request.authorization != f"Bearer {self.token}":
            request.answer(401, X_Error_Code="RepoNotFound", X_Error_Message="Repository Not Found")
        else:
            return False
        return True

    def _info(self, request: Request) -> None:
        if self._refused(request):
            return
        revision = request.path.rpartition("/revision/")[2]
        if revision not in {"main", "v1", COMMIT}:
            request.answer(404, X_Error_Code="RevisionNotFound", X_Error_Message="Invalid rev id")
            return
        siblings = [self._sibling(name) for name in self.files]
        told = {
            "id": self.repository,
            "sha": COMMIT,
            "private": False,
            "siblings": siblings,
            "tags": [],
            "downloads": 1,
        }
        request.answer(200, json.dumps(told).encode(), Content_Type="application/json")

    def _sibling(self, name: str) -> dict[str, object]:
        content = self.files[name]
        size = len(content)
        if name in self.large:
            lfs = {"size": size, "sha256": self._digest(name), "pointerSize": 128}
            return {"rfilename": name, "size": size, "blobId": "0" * 40, "lfs": lfs}
        return {"rfilename": name, "size": size, "blobId": self._digest(name)}

    def _digest(self, name: str) -> str:
        if name in self.digests:
            return self.digests[name]
        content = self.files[name]
        start = b"" if name in self.large else b"blob %d\0" % len(content)
        hasher = hashlib.new("sha256" if name in self.large else "sha1", start, usedforsecurity=False)
        for offset in range(0, len(content), _PIECE):
            hasher.update(content[offset : offset + _PIECE])
        return self.digests.setdefault(name, hasher.hexdigest())

    def _resolve(self, request: Request) -> None:
        if self._refused(request):
            return
        name = request.path.partition(f"/resolve/{COMMIT}/")[2]
        if name not in self.files:
            request.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        elif name in self.large:
            size = str(len(self.files[name]))
            known = {"X_Repo_Commit": COMMIT, "X_Linked_Size": size, "X_Linked_ETag": f'"{self._digest(name)}"'}
            location = self.host.url(f"/large/{name}?X-Signature=planted-signature")
            request.answer(302, b"", Location=location.replace("localhost", "127.0.0.1"), **known)
        else:
            request.serve(self.files[name], f'"{self._digest(name)}"', X_Repo_Commit=COMMIT)

    def _large(self, request: Request) -> None:
        request.serve(self.files[request.path.removeprefix("/large/")])


@dataclass
class GoogleStorage:
    """Buckets by name, with objects by name; those in ``private`` refuse everybody with ``status``."""

    host: Host
    buckets: dict[str, dict[str, bytes | Body]]
    private: dict[str, int] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        self.host.routes["/storage/v1/b/"] = self._metadata
        self.host.routes["/download/storage/v1/b/"] = self._media

    @property
    def environment(self) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.host.url("")}

    def _found(self, request: Request) -> tuple[str, str] | None:
        bucket, _, name = request.path.partition("/b/")[2].partition("/o")
        if bucket in self.private:
            request.answer(self.private[bucket], b'{"error": {"message": "planted-message", "errors": []}}')
        elif bucket not in self.buckets:
            request.answer(404, b'{"error": {"message": "no such bucket"}}')
        else:
            return bucket, unquote(name.removeprefix("/"))
        return None

    def _metadata(self, request: Request) -> None:
        found = self._found(request)
        if found is None:
            return
        bucket, name = found
        objects = self.buckets[bucket]
        if not name:
            prefix = parse_qs(request.query).get("prefix", [""])[0]
            items = [self._object(bucket, each) for each in objects if each.startswith(prefix)]
            request.answer(200, json.dumps({"items": items}).encode(), Content_Type="application/json")
        elif name in objects:
            request.answer(200, json.dumps(self._object(bucket, name)).encode(), Content_Type="application/json")
        else:
            request.answer(404, b'{"error": {"message": "no such object"}}')

    def _object(self, bucket: str, name: str) -> dict[str, str]:
        content = self.buckets[bucket][name]
        generation = str(self.generations.get(name, 1))
        found = {"name": name, "bucket": bucket, "size": str(len(content)), "generation": generation}
        if isinstance(content, bytes):
            digest = hashlib.md5(content, usedforsecurity=False).digest()
            found["md5Hash"] = base64.b64encode(digest).decode()
        return found

    def _media(self, request: Request) -> None:
        found = self._found(request)
        if found is None:
            return
        bucket, name = found
        wanted = parse_qs(request.query).get("ifGenerationMatch", [""])[0]
        if wanted != str(self.generations.get(name, 1)):
            request.answer(412, b"conditionNotMet")
        else:
            request.serve(self.buckets[bucket][name])
