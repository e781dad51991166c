"""gs:// through Google's own library, against a small storage server."""

import json
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.fetching.host import Body, Host
from support.fetching.hub import GoogleStorage
from support.fetching.program import Program


def private_key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.private_bytes(encoding, kind, serialization.NoEncryption()).decode()


FILES: dict[str, bytes] = {"config.json": b"{}", "onnx/model.onnx": os.urandom(300_000)}


@pytest.fixture
def storage(host: Host) -> GoogleStorage:
    objects: dict[str, bytes | Body] = {f"bert/v1/{name}": content for name, content in FILES.items()}
    beside = {"bert/v1/onnx/": b"", "bert/v10/other": b"other", "single model".replace(" ", "-"): b"weights"}
    found = GoogleStorage(host, {"models": {**objects, **beside}})
    found.start()
    return found


def test_all_below_a_prefix_is_fetched(program: Program, storage: GoogleStorage) -> None:
    measured, _ = program.both("gs://models/bert/v1", **storage.environment)
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (2, 300_002)
    assert program.contents() == FILES


def test_a_single_object_is_a_model_of_one_file(program: Program, storage: GoogleStorage) -> None:
    program.both("gs://models/single-model", **storage.environment)
    assert program.contents() == {"single-model": b"weights"}


def test_a_large_object_comes_in_parts_and_takes_little_memory(program: Program, storage: GoogleStorage) -> None:
    storage.buckets["models"] = {"large.onnx": Body(300_000_000)}
    _, fetched = program.both("gs://models/large.onnx", **storage.environment)
    assert fetched.outcome["bytes"] == 300_000_000
    assert 0 < fetched.memory < 100_000_000


def test_an_object_that_changed_after_the_measuring_is_measured_again(program: Program, storage: GoogleStorage) -> None:
    assert program.run("measure", "gs://models/bert/v1", **storage.environment).code == 0
    storage.buckets["models"]["bert/v1/config.json"] = b'{"new": 1}'
    storage.generations["bert/v1/config.json"] = 2
    ended = program.run("fetch", "gs://models/bert/v1", **storage.environment)
    assert (ended.code, program.contents()["config.json"]) == (0, b'{"new": 1}')


@pytest.mark.parametrize("uri", ["gs://models/nobody", "gs://no-such-bucket/bert"])
def test_what_does_not_exist_is_not_found(program: Program, storage: GoogleStorage, uri: str) -> None:
    ended = program.run("measure", uri, **storage.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


@pytest.mark.parametrize("status", [401, 403])
def test_a_private_bucket_without_credentials_names_the_key(
    program: Program, storage: GoogleStorage, status: int
) -> None:
    storage.private["secret-models"] = status
    ended = program.run("measure", "gs://secret-models/bert", **storage.environment)
    assert (ended.code, ended.reason) == (1, "MissingCredentials")
    assert "GOOGLE_APPLICATION_CREDENTIALS_JSON" in ended.message
    assert "planted" not in ended.said


@pytest.mark.parametrize("name", ["GOOGLE_APPLICATION_CREDENTIALS_JSON", "gcloud-application-credentials.json"])
def test_a_service_accounts_key_is_used(program: Program, storage: GoogleStorage, name: str) -> None:
    key = {
        "type": "service_account",
        "client_email": "keeper@example.org",
        "private_key": private_key(),
        "token_uri": storage.host.url("/token"),
    }
    storage.host.routes["/token"] = lambda request: request.answer(
        200, b'{"access_token": "planted-access", "expires_in": 3600}', Content_Type="application/json"
    )
    storage.private["secret-models"] = 403
    ended = program.run("measure", "gs://secret-models/bert", **storage.environment, **{name: json.dumps(key)})
    assert (ended.code, ended.reason) == (1, "AccessDenied"), ended
    assert "Bearer planted-access" in {given for _, _, given in storage.host.requests}
    told = ended.said + json.dumps(ended.outcome)
    assert "planted" not in told
    assert not [line for line in key["private_key"].splitlines() if line in told]


def test_a_key_that_is_no_json_is_named(program: Program, storage: GoogleStorage) -> None:
    given = {"GOOGLE_APPLICATION_CREDENTIALS_JSON": "planted {"}
    ended = program.run("measure", "gs://models/bert", **storage.environment, **given)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "GOOGLE_APPLICATION_CREDENTIALS_JSON" in ended.message
    assert "planted" not in ended.said


def test_a_server_that_is_not_there_is_unreachable(program: Program) -> None:
    ended = program.run("measure", "gs://models/bert", STORAGE_EMULATOR_HOST="http://127.0.0.1:9")
    assert (ended.code, ended.reason) == (1, "Unreachable")
