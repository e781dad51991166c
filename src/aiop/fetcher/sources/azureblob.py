"""azure:// through azure-storage-blob.

Credentials, the first that is there: a connection string, an account key, a shared access signature, a service
principal, the workload identity of the ServiceAccount; without any, requests are anonymous, which is right for public
containers. The node's managed identity is never used: it is not the namespace's. Reads name the ETag.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import ClientSecretCredential, WorkloadIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed, NotFound
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.objects import files_at
from aiop.fetcher.sources.refusals import denied, refusal, unreachable
from aiop.fetcher.uri import AzureUri

_KEYS = "AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCESS_KEY or AZURE_STORAGE_SAS_TOKEN"
# The library asks for it in one request and holds it about three times; eight streams hold 100 MiB.
_PIECE = 4 * 1024 * 1024
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_OPTIONS = {
    "retry_total": 0,
    "connection_timeout": _CONNECT_SECONDS,
    "read_timeout": _READ_SECONDS,
    # One request a piece: parts are ours.
    "max_single_get_size": _PIECE,
    "max_chunk_get_size": _PIECE,
    "logging_enable": False,
}


def open_source(uri: AzureUri, environment: Mapping[str, str]) -> "AzureSource":
    """The blobs of ``uri``."""
    connection = value_of(environment, "AZURE_STORAGE_CONNECTION_STRING")
    try:
        if connection:
            service = BlobServiceClient.from_connection_string(connection, **_OPTIONS)
            if service.account_name != uri.account:
                raise Failed("AZURE_STORAGE_CONNECTION_STRING is of another account than the model URI names.")
            given = True
        else:
            credential = _credential(uri, environment)
            endpoint = value_of(environment, "AZURE_STORAGE_ENDPOINT") or f"https://{uri.account}.blob.core.windows.net"
            service, given = BlobServiceClient(endpoint, credential, **_OPTIONS), credential is not None
    except ValueError as error:
        raise Failed("Azure's credentials in the Secret are not well formed.") from error
    return AzureSource(service.get_container_client(uri.container), uri, given=given)


class AzureSource:
    """One blob, or all below a prefix."""

    def __init__(self, container: ContainerClient, uri: AzureUri, *, given: bool) -> None:
        self._container, self._uri, self._given = container, uri, given

    def files(self) -> Iterator[RemoteFile]:
        """The blob of that very name if there is one, else all below it."""
        return files_at(self._uri.path, self._alone, self._below)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The bytes, if the ETag is still the listed one."""
        with _translated(f"Azure's {file.name}", given=self._given):
            stream = self._container.download_blob(
                file.key,
                offset=start,
                length=None if stop is None else stop - start,
                etag=file.version,
                match_condition=MatchConditions.IfNotModified,
                max_concurrency=1,
            )
            for piece in stream.chunks():
                sink(piece)

    def _alone(self, path: str) -> RemoteFile:
        with _translated(f"Azure's {path}", given=self._given):
            blob = self._container.get_blob_client(path).get_blob_properties()
        if _is_folder(blob):
            raise NotFound(f"Azure's {path} is a folder.")
        return _file(blob, path.rpartition("/")[2])

    def _below(self, prefix: str) -> Iterator[RemoteFile]:
        with _translated(f"Azure's container {self._uri.container}", given=self._given):
            for blob in self._container.list_blobs(name_starts_with=prefix or None, include=["metadata"]):
                if not blob.name.endswith("/") and not _is_folder(blob):
                    yield _file(blob, blob.name.removeprefix(prefix))


def _credential(uri: AzureUri, environment: Mapping[str, str]) -> Any:
    key = value_of(environment, "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY")
    if key:
        return {"account_name": uri.account, "account_key": key}
    signature = value_of(environment, "AZURE_STORAGE_SAS_TOKEN")
    if signature:
        return signature.removeprefix("?")
    tenant, client = value_of(environment, "AZURE_TENANT_ID"), value_of(environment, "AZURE_CLIENT_ID")
    secret = value_of(environment, "AZURE_CLIENT_SECRET")
    if tenant and client and secret:
        return ClientSecretCredential(tenant, client, secret)
    if tenant and client and value_of(environment, "AZURE_FEDERATED_TOKEN_FILE"):
        return WorkloadIdentityCredential()
    return None


def _is_folder(blob: Any) -> bool:
    """Accounts with a hierarchical namespace list their folders as empty blobs."""
    return str((blob.metadata or {}).get("hdi_isfolder", "")).lower() == "true"


def _file(blob: Any, name: str) -> RemoteFile:
    digest = blob.content_settings.content_md5 if blob.content_settings else None
    known = f"md5:{bytes(digest).hex()}" if digest else ""
    return RemoteFile(name=name, key=blob.name, size=blob.size, version=blob.etag, digest=known)


@contextmanager
def _translated(what: str, *, given: bool) -> Iterator[None]:
    try:
        yield
    except ClientAuthenticationError as error:
        raise denied(what=what, keys=_KEYS, given=given) from error
    except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
        raise unreachable(error, what=what) from error
    except HttpResponseError as error:
        code = str(getattr(error, "error_code", "") or "")
        # Azure says so instead of 401 where a container is not public.
        if code in {"PublicAccessNotPermitted", "NoAuthenticationInformation"}:
            raise denied(what=what, keys=_KEYS, given=given) from error
        status = error.status_code or 0
        if status == 404 and not given and code == "ResourceNotFound":  # noqa: PLR2004 - Not Found
            raise denied(what=what, keys=_KEYS, given=given) from error
        raise refusal(int(status), what=what, keys=_KEYS, given=given) from error
    except AzureError as error:
        raise Failed(f"{what} cannot be read: {error}.") from error
