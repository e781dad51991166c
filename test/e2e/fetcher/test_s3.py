"""s3:// against moto's server."""

import io
import itertools
import json
import os
import tarfile

import pytest

from support.fetching.program import Program
from support.fetching.servers import S3Server

FILES = {"config.json": b"{}", "onnx/model.onnx": os.urandom(100_000), "empty": b""}
_numbers = itertools.count(1)


@pytest.fixture
def bucket(s3: S3Server) -> str:
    name = f"models-{next(_numbers)}"
    s3.fill(name, {f"bert/v1/{file}": content for file, content in FILES.items()})
    s3.fill(name, {"bert/v10/other": b"another model", "bert/v1/onnx/": b"", "single.onnx": b"weights"})
    return name


@pytest.mark.parametrize("path", ["bert/v1", "bert/v1/"])
def test_all_below_a_prefix_is_fetched_and_nothing_beside_it(
    program: Program, s3: S3Server, bucket: str, path: str
) -> None:
    measured, fetched = program.both(f"s3://{bucket}/{path}", **s3.environment)
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (3, 100_002)
    assert program.contents() == FILES
    assert "planted" not in measured.said + fetched.said


def test_a_single_object_is_a_model_of_one_file(program: Program, s3: S3Server, bucket: str) -> None:
    program.both(f"s3://{bucket}/single.onnx", **s3.environment)
    assert program.contents() == {"single.onnx": b"weights"}


def test_a_whole_bucket_can_be_a_model(program: Program, s3: S3Server) -> None:
    s3.fill("whole", {"model.onnx": b"weights"})
    program.both("s3://whole", **s3.environment)
    assert program.contents() == {"model.onnx": b"weights"}


def test_a_single_archive_is_unpacked(program: Program, s3: S3Server, bucket: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo("model.onnx")
        info.size = 7
        archive.addfile(info, io.BytesIO(b"weights"))
    s3.fill(bucket, {"packed.tar.gz": stream.getvalue()})
    program.both(f"s3://{bucket}/packed.tar.gz", **s3.environment)
    assert program.contents() == {"model.onnx": b"weights"}


def test_an_object_that_changed_after_the_measuring_is_measured_again(
    program: Program, s3: S3Server, bucket: str
) -> None:
    assert program.run("measure", f"s3://{bucket}/bert/v1", **s3.environment).code == 0
    s3.fill(bucket, {"bert/v1/config.json": b'{"new": 1}'})
    ended = program.run("fetch", f"s3://{bucket}/bert/v1", **s3.environment)
    assert (ended.code, program.contents()["config.json"]) == (0, b'{"new": 1}')
    assert "Measuring again" in ended.said


@pytest.mark.parametrize("path", ["nobody/here", "missing.onnx"])
def test_a_prefix_with_nothing_below_it_is_not_found(program: Program, s3: S3Server, bucket: str, path: str) -> None:
    ended = program.run("measure", f"s3://{bucket}/{path}", **s3.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


def test_a_bucket_that_does_not_exist_is_not_found(program: Program, s3: S3Server) -> None:
    ended = program.run("measure", "s3://no-such-bucket/bert", **s3.environment)
    assert (ended.code, ended.reason) == (1, "NotFound")


def test_wrong_keys_are_access_denied_and_said_nowhere(program: Program, s3: S3Server, bucket: str) -> None:
    wrong = {"AWS_ACCESS_KEY_ID": "AKIAPLANTEDWRONGKEYS", "AWS_SECRET_ACCESS_KEY": "planted-wrong-secret"}
    with s3.guarded():
        ended = program.run("measure", f"s3://{bucket}/bert/v1", **{**s3.environment, **wrong})
    assert (ended.code, ended.reason) == (1, "AccessDenied")
    assert "PLANTED" not in (ended.said + json.dumps(ended.outcome)).upper()


def test_no_keys_for_a_private_bucket_are_missing_credentials(program: Program, s3: S3Server, bucket: str) -> None:
    ended = program.run("measure", f"s3://{bucket}/single.onnx", AWS_ENDPOINT_URL_S3=s3.address)
    assert (ended.code, ended.reason) == (1, "MissingCredentials")
    assert "AWS_ACCESS_KEY_ID" in ended.message


def test_a_public_bucket_wants_no_keys(program: Program, s3: S3Server, bucket: str) -> None:
    s3.fill(bucket, {"single.onnx": b"weights"}, access="public-read")
    program.both(f"s3://{bucket}/single.onnx", AWS_ENDPOINT_URL=s3.address)
    assert program.contents() == {"single.onnx": b"weights"}


def test_a_hostile_key_is_refused(program: Program, s3: S3Server, bucket: str) -> None:
    s3.fill(bucket, {"hostile/a//b": b"evil"})
    ended = program.run("fetch", f"s3://{bucket}/hostile", **s3.environment)
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "rename" in ended.message


def test_more_files_than_allowed_are_too_many(program: Program, s3: S3Server, bucket: str) -> None:
    ended = program.run("measure", f"s3://{bucket}/bert/v1", AIOP_MAX_FILES="2", **s3.environment)
    assert (ended.code, ended.reason) == (1, "TooLarge")


def test_a_server_that_is_not_there_is_unreachable(program: Program, s3: S3Server) -> None:
    ended = program.run("measure", "s3://models/bert", **{**s3.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (ended.code, ended.reason) == (1, "Unreachable")
