"""Default runtimes: made if absent, renewed if unedited, and never over an edit."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest

from aiop.api.resources import SERVINGRUNTIMES
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.runtimes import DefaultRuntimes
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import AlreadyExists, Conflict, ConnectionFailed
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Informer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock
from support.servingspecs import runtime_spec


@dataclass
class Server:
    """A client and a cache at once."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    hidden: bool = False
    down: bool = False

    async def create(self, resource: object, namespace: str, body: dict[str, Any], *, field_manager: str) -> bytes:
        assert resource is SERVINGRUNTIMES
        if self.down:
            raise ConnectionFailed("refused")
        name = body["metadata"]["name"]
        if name in self.objects:
            raise AlreadyExists(409, "AlreadyExists", name)
        self.created.append(name)
        self.objects[name] = msgspec.json.decode(msgspec.json.encode(body))
        self.objects[name]["metadata"] |= {"generation": 1, "resourceVersion": "1", "uid": name}
        return msgspec.json.encode(self.objects[name])

    async def replace(self, resource: object, key: ObjectKey, body: dict[str, Any], *, field_manager: str) -> bytes:
        known = self.objects[key.name]
        if body["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", key.name)
        self.replaced.append(key.name)
        generation = known["metadata"]["generation"] + 1
        self.objects[key.name] = msgspec.json.decode(msgspec.json.encode(body))
        self.objects[key.name]["metadata"] |= {"generation": generation, "resourceVersion": "2", "uid": key.name}
        return msgspec.json.encode(self.objects[key.name])

    @property
    def store(self) -> "Server":
        return self

    def get(self, key: ObjectKey) -> CustomObject | None:
        found = None if self.hidden else self.objects.get(key.name)
        return decode_custom(msgspec.json.encode(found)) if found else None

    def written(self, data: bytes) -> None:
        assert data

    def edit(self, name: str, **fields: Any) -> None:
        self.objects[name]["spec"] |= fields
        self.objects[name]["metadata"]["generation"] += 1


@pytest.fixture
def server() -> Server:
    return Server()


async def apply(server: Server) -> None:
    runtimes = DefaultRuntimes(cast("Client", server), cast("Informer[CustomObject]", server), FakeClock())
    await runtimes.apply()


async def test_an_api_server_that_refuses_them_holds_up_no_first_pass(server: Server) -> None:
    server.down = True
    runtimes = DefaultRuntimes(cast("Client", server), cast("Informer[CustomObject]", server), FakeClock())
    await runtimes.prepare()
    assert server.created == []
    server.down = False
    await runtimes.prepare()
    assert server.created == list(DEFAULT_RUNTIMES)


async def test_every_default_is_made_once(server: Server) -> None:
    await apply(server)
    await apply(server)
    assert server.created == list(DEFAULT_RUNTIMES)
    assert server.replaced == []


async def test_an_unedited_default_is_renewed_by_a_new_operator(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(server)
    newer = {**DEFAULT_RUNTIMES, "triton": {**DEFAULT_RUNTIMES["triton"], "image": "tritonserver:next"}}
    monkeypatch.setattr("aiop.controllers.serving.runtimes.DEFAULT_RUNTIMES", newer)
    await apply(server)
    assert server.replaced == ["triton"]
    assert server.objects["triton"]["spec"]["image"] == "tritonserver:next"
    await apply(server)
    assert server.replaced == ["triton"]


async def test_an_edited_default_is_the_administrators(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply(server)
    server.edit("triton", disabled=True)
    newer = {**DEFAULT_RUNTIMES, "triton": {**DEFAULT_RUNTIMES["triton"], "image": "tritonserver:next"}}
    monkeypatch.setattr("aiop.controllers.serving.runtimes.DEFAULT_RUNTIMES", newer)
    await apply(server)
    assert server.replaced == []
    assert server.objects["triton"]["spec"]["disabled"] is True


async def test_a_runtime_that_somebody_else_made_under_that_name_stands(server: Server) -> None:
    spec = {"ports": [], "model": {"mode": "Name"}}
    server.objects["vllm"] = {"metadata": {"name": "vllm", "generation": 1, "resourceVersion": "1"}, "spec": spec}
    await apply(server)
    assert "vllm" not in server.created
    assert server.objects["vllm"]["spec"] == spec


async def test_a_runtime_that_the_cache_does_not_show_yet_is_no_error(server: Server) -> None:
    await apply(server)
    server.hidden = True
    await apply(server)
    assert server.replaced == []


@pytest.mark.parametrize("name", DEFAULT_RUNTIMES)
def test_every_default_is_a_spec_without_unknown_keys(name: str) -> None:
    spec = runtime_spec(DEFAULT_RUNTIMES[name])
    assert spec.frameworks or name == "custom"
    assert spec.image is None or ":" in spec.image


@pytest.mark.parametrize("name", DEFAULT_RUNTIMES)
def test_no_default_needs_root_or_a_floating_tag(name: str) -> None:
    spec = runtime_spec(DEFAULT_RUNTIMES[name])
    assert spec.image is None or not spec.image.endswith(":latest")
    assert spec.run_as_user or name == "custom"
