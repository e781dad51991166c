"""azure:// against Microsoft's emulator."""

import itertools
import json
import os

import pytest

from support.fetching.program import Program
from support.fetching.servers import ACCOUNT, ACCOUNT_KEY, AzureServer

FILES = {"config.json": b"{}", "onnx/model.onnx": os.urandom(100_000)}
_numbers = itertools.count(1)


@pytest.fixture
def container(azure: AzureServer) -> str:
    name = f"models-{next(_numbers)}"
    azure.fill(name, {**{f"bert/v1/{file}": content for file, content in FILES.items()}, "bert/v10/other": b"other"})
    return name


@pytest.fixture
def endpoint(azure: AzureServer) -> dict[str, str]:
    return {"AZURE_STORAGE_ENDPOINT": f"{azure.address}/{ACCOUNT}"}


def test_a_connection_string_is_enough(program: Program, azure: AzureServer, container: str) -> None:
    given = {"AZURE_STORAGE_CONNECTION_STRING": azure.connection_string}
    measured, fetched = program.both(f"azure://{ACCOUNT}/{container}/bert/v1", **given)
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (2, 100_002)
    assert program.contents() == FILES
    assert ACCOUNT_KEY not in measured.said + fetched.said


@pytest.mark.parametrize("name", ["AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY"])
def test_an_account_key_is_enough(program: Program, container: str, endpoint: dict[str, str], name: str) -> None:
    program.both(f"azure://{ACCOUNT}/{container}/bert/v1/onnx/model.onnx", **endpoint, **{name: ACCOUNT_KEY + "\n"})
    assert program.contents() == {"model.onnx": FILES["onnx/model.onnx"]}


def test_a_shared_access_signature_is_enough(
    program: Program, azure: AzureServer, container: str, endpoint: dict[str, str]
) -> None:
    signature = azure.signature(container)
    measured, fetched = program.both(
        f"azure://{ACCOUNT}/{container}/bert/v1", **endpoint, AZURE_STORAGE_SAS_TOKEN=f"?{signature}"
    )
    assert program.contents() == FILES
    assert signature not in measured.said + fetched.said


def test_a_public_container_wants_no_keys(program: Program, azure: AzureServer, endpoint: dict[str, str]) -> None:
    name = f"public-{next(_numbers)}"
    azure.fill(name, {"model.onnx": b"weights"}, public=True)
    program.both(f"azure://{ACCOUNT}/{name}", **endpoint)
    assert program.contents() == {"model.onnx": b"weights"}


def test_a_private_container_without_keys_is_missing_credentials(
    program: Program, container: str, endpoint: dict[str, str]
) -> None:
    ended = program.run("measure", f"azure://{ACCOUNT}/{container}/bert/v1", **endpoint)
    assert (ended.code, ended.reason) == (1, "MissingCredentials")
    assert "AZURE_STORAGE_CONNECTION_STRING" in ended.message


def test_a_wrong_key_is_access_denied_and_said_nowhere(
    program: Program, container: str, endpoint: dict[str, str]
) -> None:
    wrong = "cGxhbnRlZC13cm9uZy1rZXk="
    ended = program.run("measure", f"azure://{ACCOUNT}/{container}/bert/v1", **endpoint, AZURE_STORAGE_ACCESS_KEY=wrong)
    assert (ended.code, ended.reason) == (1, "AccessDenied")
    assert wrong not in ended.said + json.dumps(ended.outcome)


@pytest.mark.parametrize("path", ["{container}/nobody", "no-such-container/bert"])
def test_what_does_not_exist_is_not_found(program: Program, azure: AzureServer, container: str, path: str) -> None:
    given = {"AZURE_STORAGE_CONNECTION_STRING": azure.connection_string}
    ended = program.run("measure", f"azure://{ACCOUNT}/{path.format(container=container)}", **given)
    assert (ended.code, ended.reason) == (1, "NotFound")


def test_another_accounts_connection_string_is_not_used(program: Program, azure: AzureServer) -> None:
    given = {"AZURE_STORAGE_CONNECTION_STRING": azure.connection_string}
    ended = program.run("measure", "azure://otheraccount/models/bert", **given)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "another account" in ended.message


def test_a_server_that_is_not_there_is_unreachable(program: Program) -> None:
    given = {"AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:9", "AZURE_STORAGE_ACCESS_KEY": ACCOUNT_KEY}
    ended = program.run("measure", f"azure://{ACCOUNT}/models/bert", **given)
    assert (ended.code, ended.reason) == (1, "Unreachable")
