"""models:/ through mlflow: a version of a registered model, wherever the registry at MLFLOW_TRACKING_URI keeps it.

What lies in s3, gs or Azure is fetched as such a URI, with the same Secret; what the tracking server itself serves is
fetched through MLflow's client. Other places are refused, those on the fetcher's own disk among them, and so are other
servers: the client would show them the tracking server's credentials. The place is pinned with the files, so an alias
may move meanwhile.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import requests
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from urllib3.exceptions import HTTPError

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import MissingCredentials, NotFound, SourceChanged, TooLarge
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink, Source, source_of
from aiop.fetcher.sources.mlflowplaces import CLOUDS, checked_location
from aiop.fetcher.sources.refusals import refusal, unreachable
from aiop.fetcher.sources.web import OK, pour, total_of
from aiop.fetcher.uri import RegistryUri, parse_uri

_KEYS = "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
# A model has a handful of folders; a server that lists new ones without end is not one to wait for.
_MOST_FOLDERS = 10_000


def open_source(uri: RegistryUri, environment: Mapping[str, str]) -> "RegistrySource":
    """The model version of ``uri``."""
    tracking = value_of(environment, "MLFLOW_TRACKING_URI")
    if urlsplit(tracking).scheme not in {"http", "https"}:
        raise MissingCredentials(
            "MLFLOW_TRACKING_URI must be the registry's http or https address; set it in the Secret."
        )
    return RegistrySource(uri, tracking, environment)


class RegistrySource:
    """Finds where the version's files lie and hands on to the source of that place."""

    def __init__(self, uri: RegistryUri, tracking: str, environment: Mapping[str, str]) -> None:
        self._uri, self._tracking, self._environment = uri, tracking, environment
        self._lock = threading.Lock()
        self._sources: dict[str, Source] = {}
        given = value_of(environment, "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")
        self._given = bool(given) or "@" in urlsplit(tracking).netloc

    def files(self) -> Iterator[RemoteFile]:
        """The files of the version; their keys name the place as well."""
        what = f"The registry's {self._uri.name} {self._uri.alias or self._uri.version}"
        with _translated(what, given=self._given):
            location = self._location()
        for file in self._source(location).files():
            yield replace(file, key=f"{location} {file.key}")

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The bytes from where the file was listed."""
        location, _, key = file.key.partition(" ")
        self._source(location).read(replace(file, key=key), start, stop, sink)

    def _location(self) -> str:
        client = MlflowClient(tracking_uri=self._tracking, registry_uri=self._tracking)
        name, version = self._uri.name, self._uri.version
        if self._uri.alias:
            version = self._version_of(client, self._uri.alias)
        location = str(client.get_model_version_download_uri(name, version))
        if location.startswith("models:/"):
            location = str(client.get_logged_model(location.removeprefix("models:/")).artifact_location)
        return checked_location(location, self._tracking)

    def _version_of(self, client: MlflowClient, alias: str) -> str:
        try:
            return str(client.get_model_version_by_alias(self._uri.name, alias).version)
        except MlflowException as error:
            # The registry says "invalid parameter" where an alias is not there, and "not found" for the model.
            if error.get_http_status_code() == HTTPStatus.BAD_REQUEST:
                raise NotFound(f"The registry's {self._uri.name} has no alias {alias!a}.") from error
            raise

    def _source(self, location: str) -> Source:
        with self._lock:
            if location not in self._sources:
                self._sources[location] = self._opened(location)
            return self._sources[location]

    def _opened(self, location: str) -> Source:
        if location.partition(":")[0] in CLOUDS:
            return source_of(parse_uri(location), self._environment)
        return ServedArtifacts(location, self._tracking, given=self._given)


class ServedArtifacts:
    """Files that the tracking server serves itself."""

    def __init__(self, location: str, tracking: str, *, given: bool) -> None:
        self._repository = get_artifact_repository(location, tracking_uri=tracking)
        self._given = given

    def files(self) -> Iterator[RemoteFile]:
        """All files, folder by folder."""
        folders: list[str | None] = [None]
        for folder in folders:  # grows while it is walked
            if len(folders) > _MOST_FOLDERS:
                raise TooLarge(f"The model has more than {_MOST_FOLDERS} folders.")
            with _translated("The model's files", given=self._given):
                found = self._repository.list_artifacts(folder)
            for entry in found:
                if entry.is_dir:
                    folders.append(entry.path)
                else:
                    yield RemoteFile(name=entry.path, key=entry.path, size=entry.file_size, ranged=False)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:  # noqa: ARG002 - the Protocol's
        """The whole file; the server knows no parts and no versions."""
        what = f"The tracking server's {file.name}"
        credentials = get_default_host_creds(self._repository.artifact_uri)
        with (
            _translated(what, given=self._given),
            http_request(
                credentials,
                f"/{quote(file.key)}",
                "GET",
                stream=True,
                raise_on_status=False,
                extra_headers={"Accept-Encoding": "identity"},
            ) as answer,
        ):
            if answer.status_code != OK:
                raise refusal(answer.status_code, what=what, keys=_KEYS, given=self._given)
            if total_of(answer) not in {None, file.size}:
                raise SourceChanged(f"{what} has changed since it was measured.")
            pour(answer, sink)


@contextmanager
def _translated(what: str, *, given: bool) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, requests.RequestException) and cause.response is None:
            raise unreachable(error, what="The MLflow server") from error
        answer = cause.response if isinstance(cause, requests.RequestException) else None
        status = answer.status_code if answer is not None else 0
        raise refusal(status or error.get_http_status_code(), what=what, keys=_KEYS, given=given) from error
    except requests.RequestException as error:
        if error.response is not None:
            raise refusal(error.response.status_code, what=what, keys=_KEYS, given=given) from error
        raise unreachable(error, what="The MLflow server") from error
    except HTTPError as error:
        raise unreachable(error, what="The MLflow server") from error
