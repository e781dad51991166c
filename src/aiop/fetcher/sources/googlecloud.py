"""gs:// through google-cloud-storage.

Credentials: a JSON of the Secret, else Google's own chain (a file, workload identity); without any, or where the
cluster gives the pod no identity, requests are anonymous, as public buckets want. Reads name the generation.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import google.auth
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth import compute_engine
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.cloud import storage
from urllib3.exceptions import HTTPError

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.objects import files_at
from aiop.fetcher.sources.refusals import denied, refusal, unreachable
from aiop.fetcher.uri import BucketUri

_KEYS = "GOOGLE_APPLICATION_CREDENTIALS_JSON"
_JSON_KEYS = (_KEYS, "gcloud-application-credentials.json")
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_FIELDS = "items(name,size,generation,md5Hash),nextPageToken"
_SECONDS = (10, 60)


def open_source(uri: BucketUri, environment: Mapping[str, str]) -> "GoogleSource":
    """The objects of ``uri``."""
    credentials = _credentials(environment)
    given = not isinstance(credentials, AnonymousCredentials)
    # The client asks for a project, which reading needs not.
    return GoogleSource(storage.Client(project="none", credentials=credentials), uri, given=given)


class GoogleSource:
    """One object, or all below a prefix."""

    def __init__(self, client: Any, uri: BucketUri, *, given: bool) -> None:
        self._client, self._uri, self._given = client, uri, given
        self._bucket = client.bucket(uri.bucket)

    def files(self) -> Iterator[RemoteFile]:
        """The object of that very name if there is one, else all below it."""
        return files_at(self._uri.path, self._alone, self._below)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The bytes as they are stored, if the generation is still the listed one."""
        with _translated(f"Google's {file.name}", given=self._given):
            self._client.download_blob_to_file(
                self._bucket.blob(file.key),
                _Stream(sink),
                start=start,
                end=None if stop is None else stop - 1,
                raw_download=True,
                if_generation_match=int(file.version),
                timeout=_SECONDS,
                checksum=None,
                retry=None,
            )

    def _alone(self, path: str) -> RemoteFile:
        blob = self._bucket.blob(path)
        with _translated(f"Google's {path}", given=self._given):
            blob.reload(timeout=_SECONDS, retry=None)
        return _file(blob, path.rpartition("/")[2])

    def _below(self, prefix: str) -> Iterator[RemoteFile]:
        with _translated(f"Google's bucket {self._uri.bucket}", given=self._given):
            found = self._client.list_blobs(
                self._uri.bucket, prefix=prefix, fields=_FIELDS, timeout=_SECONDS, retry=None
            )
            for blob in found:
                if not blob.name.endswith("/"):
                    yield _file(blob, blob.name.removeprefix(prefix))


class _Stream:
    """What the library takes for a file."""

    def __init__(self, sink: Sink) -> None:
        self.write = sink


def _credentials(environment: Mapping[str, str]) -> Any:
    text = value_of(environment, *_JSON_KEYS)
    try:
        if text:
            return google.auth.load_credentials_from_dict(json.loads(text), scopes=[_SCOPE])[0]
        credentials = google.auth.default(scopes=[_SCOPE])[0]
    except DefaultCredentialsError as error:
        if text or value_of(environment, "GOOGLE_APPLICATION_CREDENTIALS"):
            raise Failed("Google's credentials are not usable; give the JSON of a service account's key.") from error
        return AnonymousCredentials()
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Failed(f"{_KEYS} is not the JSON of a service account's key.") from error
    return _usable(credentials)


def _usable(credentials: Any) -> Any:
    """``credentials``, or anonymous ones where the cluster has a metadata server that gives this pod no identity."""
    if not isinstance(credentials, compute_engine.Credentials):
        return credentials
    try:
        credentials.refresh(Request())
    except GoogleAuthError:
        return AnonymousCredentials()
    return credentials


def _file(blob: Any, name: str) -> RemoteFile:
    try:
        digest = f"md5:{base64.b64decode(blob.md5_hash or '', validate=True).hex()}"
    except (binascii.Error, ValueError):
        digest = ""
    known = digest if digest != "md5:" else ""
    return RemoteFile(name=name, key=blob.name, size=blob.size, version=str(blob.generation), digest=known)


@contextmanager
def _translated(what: str, *, given: bool) -> Iterator[None]:
    try:
        yield
    except GoogleAPICallError as error:
        raise refusal(int(error.code or 0), what=what, keys=_KEYS, given=given) from error
    except TransportError as error:
        raise unreachable(error, what=what) from error
    except GoogleAuthError as error:
        raise denied(what=what, keys=_KEYS, given=given) from error
    except (requests.RequestException, HTTPError, ConnectionError) as error:
        raise unreachable(error, what=what) from error
