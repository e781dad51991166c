"""models:/ against MLflow's own tracking server."""

import json
import os

import pytest

from support.fetching.host import Host
from support.fetching.program import Program
from support.fetching.servers import MlflowServer, S3Server

FILES = {"MLmodel": b"flavors: {}", "data/model.onnx": os.urandom(300_000), "data/a file, 100%.txt": b"text"}


@pytest.fixture(scope="module")
def version(mlflow: MlflowServer) -> str:
    return mlflow.fill("bert", FILES, alias="champion")


def test_a_version_is_fetched_by_its_number(program: Program, mlflow: MlflowServer, version: str) -> None:
    measured, fetched = program.both(f"models:/bert/{version}", **mlflow.environment)
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (3, 300_015)
    assert program.contents() == FILES
    assert "planted" not in measured.said + fetched.said


def test_a_version_is_fetched_by_its_alias_which_may_move_meanwhile(program: Program, mlflow: MlflowServer) -> None:
    mlflow.fill("moving", {"MLmodel": b"first"}, alias="champion")
    assert program.run("measure", "models:/moving@champion", **mlflow.environment).code == 0
    mlflow.fill("moving", {"MLmodel": b"second"}, alias="champion")
    assert program.run("fetch", "models:/moving@champion", **mlflow.environment).code == 0
    assert program.contents() == {"MLmodel": b"first"}


def test_what_the_registry_keeps_in_s3_is_fetched_from_there(
    program: Program, mlflow: MlflowServer, s3: S3Server
) -> None:
    s3.fill("registry", {"bert/MLmodel": b"flavors: {}"})
    number = mlflow.fill("in-s3", {}, source="s3://registry/bert")
    program.both(f"models:/in-s3/{number}", **mlflow.environment, **s3.environment)
    assert program.contents() == {"MLmodel": b"flavors: {}"}


@pytest.mark.parametrize(
    "place",
    [
        "mlflow-artifacts://{other}/0/model",
        "https://{other}/api/2.0/mlflow-artifacts/artifacts/0",
        "file:///etc",
        "/etc",
    ],
)
def test_a_registry_cannot_send_the_fetcher_and_its_credentials_elsewhere(
    program: Program, host: Host, other_host: Host, place: str
) -> None:
    known = json.dumps({"registered_model": {"name": "bert"}}).encode()
    host.routes["/api/2.0/mlflow/registered-models/get"] = lambda request: request.answer(200, known)
    told = json.dumps({"artifact_uri": place.format(other=other_host.address)}).encode()
    host.routes["/api/2.0/mlflow/model-versions/get-download-uri"] = lambda request: request.answer(200, told)
    given = {"MLFLOW_TRACKING_URI": host.url(""), "MLFLOW_TRACKING_TOKEN": "planted-token"}
    ended = program.run("fetch", "models:/bert/1", **given)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "location, which cannot be fetched from here" in ended.message
    assert {given for _, _, given in host.requests} == {"Bearer planted-token"}
    assert other_host.requests == []
    assert program.contents() == {}


@pytest.mark.parametrize("uri", ["models:/bert@nobody", "models:/no-such-model/1"])
def test_what_does_not_exist_is_not_found(program: Program, mlflow: MlflowServer, version: str, uri: str) -> None:
    ended = program.run("measure", uri, **mlflow.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


def test_a_wrong_password_is_access_denied_and_said_nowhere(
    program: Program, mlflow: MlflowServer, version: str
) -> None:
    given = {**mlflow.environment, "MLFLOW_TRACKING_PASSWORD": "planted-wrong"}
    ended = program.run("measure", f"models:/bert/{version}", **given)
    assert (ended.code, ended.reason) == (1, "AccessDenied")
    assert "planted" not in ended.said + json.dumps(ended.outcome)


def test_no_credentials_are_missing_credentials(program: Program, mlflow: MlflowServer, version: str) -> None:
    ended = program.run("measure", f"models:/bert/{version}", MLFLOW_TRACKING_URI=mlflow.address)
    assert (ended.code, ended.reason) == (1, "MissingCredentials")


def test_a_registry_without_an_address_is_missing_credentials(program: Program) -> None:
    ended = program.run("measure", "models:/bert/1", MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    assert (ended.code, ended.reason) == (1, "MissingCredentials")
    assert "MLFLOW_TRACKING_URI" in ended.message


def test_a_server_that_is_not_there_is_unreachable(program: Program) -> None:
    ended = program.run("measure", "models:/bert/1", MLFLOW_TRACKING_URI="http://bob:planted@127.0.0.1:9")
    assert (ended.code, ended.reason) == (1, "Unreachable")
    assert "planted" not in ended.said
