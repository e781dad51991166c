"""s3:// through boto3: any server that speaks S3, found by AWS_ENDPOINT_URL where it is not Amazon's.

Credentials are those of boto3's own chain (keys, IAM roles for ServiceAccounts, EKS Pod Identity); without any,
requests are not signed, as public buckets want. Reads name the ETag that was listed, so no two versions mix.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from urllib3.exceptions import HTTPError

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed, FetchError
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.objects import files_at
from aiop.fetcher.sources.refusals import denied, refusal, unreachable
from aiop.fetcher.uri import BucketUri

_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_CHUNK = 256 * 1024
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
# An ETag is the content's MD5 unless it came in parts (a dash) or is encrypted with keys of its own.
_MD5_DIGITS = 32


def open_source(uri: BucketUri, environment: Mapping[str, str]) -> "S3Source":
    """The objects of ``uri``."""
    session = boto3.session.Session()
    with _translated(uri.bucket, given=True):
        given = session.get_credentials() is not None
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 1},
        max_pool_connections=64,
        response_checksum_validation="when_required",
        **({} if given else {"signature_version": UNSIGNED}),
    )
    # Amazon's first region answers for buckets of all others and names the right one.
    region = value_of(environment, "AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    with _translated(uri.bucket, given=given):
        return S3Source(session.client("s3", region_name=region, config=config), uri, given=given)


class S3Source:
    """One object, or all below a prefix."""

    def __init__(self, client: Any, uri: BucketUri, *, given: bool) -> None:
        self._client, self._uri, self._given = client, uri, given

    def files(self) -> Iterator[RemoteFile]:
        """The object of that very name if there is one, else all below it."""
        return files_at(self._uri.path, self._alone, self._below)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """The bytes, if the ETag is still the listed one."""
        span = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        with _translated(file.name, given=self._given):
            answer = self._client.get_object(Bucket=self._uri.bucket, Key=file.key, IfMatch=file.version, **span)
            with closing(answer["Body"]) as body:
                for piece in body.iter_chunks(_CHUNK):
                    sink(piece)

    def _alone(self, path: str) -> RemoteFile:
        with _translated(path, given=self._given):
            head = self._client.head_object(Bucket=self._uri.bucket, Key=path)
        encrypted = head.get("ServerSideEncryption", "AES256") != "AES256" or head.get("SSECustomerAlgorithm")
        return _file(path, path.rpartition("/")[2], head["ContentLength"], head["ETag"], digest=not encrypted)

    def _below(self, prefix: str) -> Iterator[RemoteFile]:
        with _translated(self._uri.bucket, given=self._given):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._uri.bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    if not item["Key"].endswith("/"):
                        yield _file(item["Key"], item["Key"].removeprefix(prefix), item["Size"], item["ETag"])


def _file(key: str, name: str, size: int, etag: str, *, digest: bool = False) -> RemoteFile:
    plain = etag.strip('"')
    known = f"md5:{plain}" if digest and len(plain) == _MD5_DIGITS else ""
    return RemoteFile(name=name, key=key, size=size, version=etag, digest=known)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _failure(error: ClientError, what: str, *, given: bool) -> FetchError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}:
        return denied(what=f"S3's {what}", keys=_KEYS, given=given)
    if code == "SlowDown":
        return refusal(503, what=f"S3's {what}", keys=_KEYS, given=given)
    return refusal(_status(error), what=f"S3's {what}", keys=_KEYS, given=given)


@contextmanager
def _translated(what: str, *, given: bool) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _failure(error, what, given=given) from error
    except NoCredentialsError as error:
        raise denied(what=f"S3's {what}", keys=_KEYS, given=False) from error
    except (HTTPClientError, ConnectionError, IncompleteReadError, HTTPError) as error:
        raise unreachable(error, what=f"S3's {what}") from error
    except BotoCoreError as error:
        raise Failed(f"S3's {what} cannot be read: {error}.") from error
    except ValueError as error:
        raise Failed(f"S3's settings in the Secret make no sense: {error}.") from error
