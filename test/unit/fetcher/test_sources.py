"""What sources decide without a network."""

import ssl

import pytest

from aiop.fetcher.errors import (
    AccessDenied,
    Failed,
    FetchError,
    Interrupted,
    MissingCredentials,
    NotFound,
    SourceChanged,
    Unreachable,
)
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.sources.mlflowplaces import checked_location
from aiop.fetcher.sources.objects import files_at
from aiop.fetcher.sources.refusals import refusal, unreachable

TRACKING = "https://bob:pw@mlflow:5000/prefix"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://models/bert", "s3://models/bert"),
        ("gs://models/bert", "gs://models/bert"),
        ("wasbs://models@account.blob.core.windows.net/bert/v1", "azure://account/models/bert/v1"),
        ("mlflow-artifacts:/1/model", "mlflow-artifacts:/1/model"),
        ("mlflow-artifacts://mlflow:5000/1/model", "mlflow-artifacts://mlflow:5000/1/model"),
        (
            "https://mlflow:5000/prefix/api/2.0/mlflow-artifacts/artifacts/1",
            "https://mlflow:5000/prefix/api/2.0/mlflow-artifacts/artifacts/1",
        ),
    ],
)
def test_places_of_the_registry_and_of_clouds_are_fetched(location: str, expected: str) -> None:
    assert checked_location(location, TRACKING) == expected


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/etc",
        "file:///etc",
        "dbfs:/models",
        "http://mlflow:5000/api/2.0/mlflow-artifacts/artifacts/1",
        "https://mlflow:5000/elsewhere",
        "https://mlflow:5001/api/2.0/mlflow-artifacts/artifacts/1",
        "https://elsewhere/api/2.0/mlflow-artifacts/artifacts/1",
        "mlflow-artifacts://elsewhere/1",
        "mlflow-artifacts://mlflow:5000@elsewhere/1",
        "wasbs://models@account.blob.elsewhere/bert",
        "wasbs://models@elsewhere/bert#.blob.core.windows.net",
        "s3://models/../other",
        "s3://user:pw@models/bert",
        "s3://models/a b",
        "models:/bert/1",
    ],
)
def test_other_places_are_refused(location: str) -> None:
    with pytest.raises(Failed):
        checked_location(location, TRACKING)


@pytest.mark.parametrize(
    ("status", "given", "expected"),
    [
        (401, False, MissingCredentials),
        (403, False, MissingCredentials),
        (401, True, AccessDenied),
        (403, True, AccessDenied),
        (404, True, NotFound),
        (410, True, NotFound),
        (412, True, SourceChanged),
        (408, True, Interrupted),
        (429, True, Interrupted),
        (500, True, Interrupted),
        (503, True, Interrupted),
        (400, True, Failed),
        (302, True, Failed),
    ],
)
def test_every_status_has_its_reason(status: int, given: bool, expected: type[FetchError]) -> None:
    error = refusal(status, what="The model", keys="KEY", given=given)
    assert type(error) is expected
    assert error.transient is (expected is Interrupted)


def test_a_certificate_is_found_at_the_bottom_of_a_chain_of_errors() -> None:
    error = ValueError("outer")
    error.__context__ = OSError("middle")
    error.__context__.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert type(unreachable(error, what="The host")) is Unreachable
    assert type(unreachable(OSError("refused"), what="The host")) is Interrupted


def test_a_ring_of_errors_is_no_endless_search() -> None:
    error = ValueError("ring")
    error.__cause__ = error
    assert type(unreachable(error, what="The host")) is Interrupted


class Store:
    def __init__(self, *names: str, alone: FetchError | None = None, below: FetchError | None = None) -> None:
        self.names, self.errors = names, (alone, below)

    def alone(self, path: str) -> RemoteFile:
        if self.errors[0]:
            raise self.errors[0]
        if path not in self.names:
            raise NotFound("None.")
        return RemoteFile(path.rpartition("/")[2], path, 1)

    def below(self, prefix: str) -> list[RemoteFile]:
        if self.errors[1]:
            raise self.errors[1]
        return [RemoteFile(name.removeprefix(prefix), name, 1) for name in self.names if name.startswith(prefix)]

    def found(self, path: str) -> list[str]:
        return [file.name for file in files_at(path, self.alone, lambda prefix: iter(self.below(prefix)))]


def test_an_object_of_that_name_wins_over_what_lies_below_it() -> None:
    store = Store("bert", "bert/a", "bert2")
    assert store.found("bert") == ["bert"]
    assert store.found("bert/") == ["a"]
    assert store.found("") == ["bert", "bert/a", "bert2"]


def test_the_right_to_list_is_not_needed_for_one_object_nor_the_right_to_read_it_for_a_folder() -> None:
    assert Store("bert", below=AccessDenied("No.")).found("bert") == ["bert"]
    assert Store("bert/a", alone=AccessDenied("No.")).found("bert") == ["a"]


@pytest.mark.parametrize("refused", [AccessDenied("No."), MissingCredentials("No.")])
def test_a_refusal_is_told_if_there_is_nothing_else(refused: FetchError) -> None:
    with pytest.raises(type(refused)):
        Store(alone=refused).found("bert")
    with pytest.raises(type(refused)):
        Store(below=refused).found("bert")


@pytest.mark.parametrize(("name", "unpack"), [("a/bert.tar.gz", True), ("a/bert.zip", True), ("a/bert.onnx", False)])
def test_a_single_archive_is_there_to_be_unpacked(name: str, unpack: bool) -> None:
    store = Store(name)
    (file,) = files_at(name, store.alone, lambda prefix: iter(store.below(prefix)))
    assert file.unpack is unpack
