"""hf:// through the hub's own library, against a small hub."""

import json
import os

import pytest

from support.fetching.host import Body, Host, Request
from support.fetching.hub import COMMIT, Hub
from support.fetching.program import Program

FILES = {"config.json": b'{"a": 1}', "onnx/model.onnx": os.urandom(300_000), ".gitattributes": b"*.onnx lfs"}
URI = "hf://google-bert/bert-base-uncased"


@pytest.fixture
def hub(host: Host) -> Hub:
    found = Hub(host, "google-bert/bert-base-uncased", dict(FILES), frozenset({"onnx/model.onnx"}))
    found.start()
    return found


@pytest.mark.parametrize("revision", ["", "@v1", ":main", f"@{COMMIT}"])
def test_a_model_is_fetched_at_one_commit(program: Program, hub: Hub, revision: str) -> None:
    measured, fetched = program.both(URI + revision, **hub.environment)
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (3, 300_018)
    assert program.contents() == FILES
    assert sorted(path.name for path in program.model.iterdir()) == [".gitattributes", "config.json", "onnx"]
    assert "planted" not in measured.said + fetched.said


def test_a_private_model_is_fetched_with_the_token_which_goes_to_the_hub_alone(program: Program, hub: Hub) -> None:
    hub.token = "hf_planted"
    measured, fetched = program.both(URI, **hub.environment, HF_TOKEN="hf_planted\n")
    assert program.contents() == FILES
    assert {given for _, path, given in hub.host.requests if path.startswith("/large/")} == {""}
    assert "planted" not in measured.said + fetched.said + json.dumps([measured.outcome, fetched.outcome])


def test_a_private_model_without_a_token_is_not_found_and_the_token_is_named(program: Program, hub: Hub) -> None:
    hub.token = "hf_planted"
    ended = program.run("measure", URI, **hub.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")
    assert "HF_TOKEN" in ended.message


@pytest.mark.parametrize(("token", "reason"), [("", "MissingCredentials"), ("hf_planted", "AccessDenied")])
def test_a_model_whose_terms_were_not_accepted_says_so(program: Program, hub: Hub, token: str, reason: str) -> None:
    hub.gated = True
    ended = program.run("measure", URI, **hub.environment, HF_TOKEN=token)
    assert (ended.code, ended.reason) == (1, reason)
    assert "terms" in ended.message
    assert "planted" not in ended.said + ended.message


@pytest.mark.parametrize("uri", [f"{URI}@v9", "hf://google-bert/no-such-model"])
def test_what_does_not_exist_is_not_found(program: Program, hub: Hub, uri: str) -> None:
    ended = program.run("measure", uri, **hub.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


@pytest.mark.parametrize("name", ["config.json", "onnx/model.onnx"])
def test_a_file_that_does_not_have_its_digest_is_refused(program: Program, hub: Hub, name: str) -> None:
    hub.digests[name] = "0" * (64 if name in hub.large else 40)
    ended = program.run("fetch", URI, **hub.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "damaged" in ended.message
    assert not (program.model / name).exists()


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a/../../escape"])
def test_a_hostile_listing_is_refused(program: Program, hub: Hub, name: str) -> None:
    hub.files[name] = b"evil"
    ended = program.run("fetch", URI, **hub.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert list(program.model.iterdir()) == []


def test_a_large_file_takes_little_memory(program: Program, hub: Hub) -> None:
    hub.files, hub.large = {"model.safetensors": Body(300_000_000)}, frozenset({"model.safetensors"})
    _, fetched = program.both(URI, **hub.environment)
    assert fetched.outcome["bytes"] == 300_000_000
    assert 0 < fetched.memory < 100_000_000


def test_a_hub_that_sends_more_than_it_says_cannot_fill_the_disk(program: Program, hub: Hub) -> None:
    hub.host.routes["/large/"] = lambda request: request.serve(Body(10**15), length=False)
    ended = program.run("fetch", URI, **hub.environment)
    assert (ended.code, ended.reason) == (1, "TooLarge")


def test_a_hub_that_is_overloaded_is_unreachable(program: Program, hub: Hub) -> None:
    def overloaded(request: Request) -> bool:
        request.answer(503)
        return True

    hub.answer = overloaded
    ended = program.run("measure", URI, **hub.environment)
    assert (ended.code, ended.reason) == (1, "Unreachable")


def test_a_hub_that_is_not_there_is_unreachable(program: Program) -> None:
    ended = program.run("measure", URI, HF_ENDPOINT="http://127.0.0.1:9")
    assert (ended.code, ended.reason) == (1, "Unreachable")
