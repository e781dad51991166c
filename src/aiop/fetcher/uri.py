"""The grammar of model URIs: text in, one of six frozen values out, or BadUri with the fix.

Nothing is asked of the network here. A URI that could carry a credential (user names, query strings, fragments) is
refused, and its text is never repeated in the refusal.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from aiop.fetcher.errors import BadUri, FetchError
from aiop.fetcher.names import checked_name

# What browsers and servers commonly take; object keys may have 1024 bytes and HTTP paths seldom more.
_LONGEST = 2048
_SCHEMES = "s3://, gs://, azure://, https://, hf://, oci:// and models:/"
# S3's and Google's rules for names of buckets (Google allows underscores), without the special cases.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"[a-z0-9$][a-z0-9-]{1,62}")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
_HUB_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
_REPOSITORY = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]{1,18}")
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(frozen=True, slots=True)
class BucketUri:
    """Objects of S3 (``scheme`` s3) or Google Cloud Storage (gs): one object ``path``, or all below it."""

    scheme: str
    bucket: str
    path: str


@dataclass(frozen=True, slots=True)
class AzureUri:
    """Blobs of a container: one blob ``path``, or all below it."""

    account: str
    container: str
    path: str


@dataclass(frozen=True, slots=True)
class HttpsUri:
    """One file of a web server; ``name`` is what it is called on disk."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class HubUri:
    """A model of a Hugging Face hub; ``revision`` is a branch, a tag or a commit."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class OciUri:
    """An artifact of a registry; ``reference`` is a tag or a digest (``sha256:…``)."""

    registry: str
    repository: str
    reference: str


@dataclass(frozen=True, slots=True)
class RegistryUri:
    """A model version of an MLflow registry, by number or by alias; the other one is empty."""

    name: str
    version: str
    alias: str


ModelUri = BucketUri | AzureUri | HttpsUri | HubUri | OciUri | RegistryUri


def parse_uri(text: str) -> ModelUri:
    """What ``text`` names; raises BadUri."""
    if not text or len(text) > _LONGEST:
        raise BadUri(f"The model URI must have 1 to {_LONGEST} characters.")
    # Registered models may have spaces in their names.
    printable = text.replace(" ", "") if text.startswith("models:/") else text
    if any(not character.isprintable() or character.isspace() for character in printable):
        raise BadUri("The model URI must not have spaces, line breaks or control characters.")
    if "?" in text or "#" in text:
        raise BadUri(
            "The model URI must not have a query or a fragment: they often carry credentials; put those in the Secret."
        )
    scheme, _, rest = text.partition(":")
    if scheme == "models":
        return _registry(rest)
    parsers: dict[str, Callable[[SplitResult], ModelUri]] = {
        "s3": _bucket,
        "gs": _bucket,
        "azure": _azure,
        "https": _https,
        "hf": _hub,
        "oci": _oci,
    }
    parser = parsers.get(scheme)
    if parser is None or not rest.startswith("//"):
        raise BadUri(f"The model URI must begin with one of {_SCHEMES}.")
    return parser(_split(text))


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise BadUri("The model URI's host must be a name or an address: https://host/file.") from error
    if "@" in parts.netloc and parts.scheme != "hf":
        raise BadUri("The model URI must not have a user name or a password; put them in the Secret.")
    return parts


def _bucket(parts: SplitResult) -> BucketUri:
    if not _BUCKET.fullmatch(parts.netloc):
        raise BadUri(f"{parts.scheme}://{parts.netloc} names no bucket: write {parts.scheme}://bucket/path.")
    return BucketUri(parts.scheme, parts.netloc, _path(parts))


def _azure(parts: SplitResult) -> AzureUri:
    container, _, path = parts.path.lstrip("/").partition("/")
    if not _ACCOUNT.fullmatch(parts.netloc) or not _CONTAINER.fullmatch(container):
        raise BadUri("The model URI names no container: write azure://account/container/path.")
    return AzureUri(parts.netloc, container, _checked_path(path))


def _https(parts: SplitResult) -> HttpsUri:
    if not _HOST.fullmatch(parts.netloc):
        raise BadUri("The model URI names no host: write https://host/file.")
    name = unquote(parts.path.rpartition("/")[2])
    if "/" in name or not _plain(name):
        raise BadUri("The model URI must end with a file's name: https://host/model.onnx.")
    return HttpsUri(parts.geturl(), name)


def _hub(parts: SplitResult) -> HubUri:
    owner = parts.netloc
    name, at, revision = parts.path.lstrip("/").partition("@")
    if not at:
        name, at, revision = name.partition(":")
    if not _HUB_PART.fullmatch(owner) or not _HUB_PART.fullmatch(name):
        raise BadUri("The model URI names no model of the hub: write hf://owner/model or hf://owner/model@revision.")
    if at and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise BadUri("The model URI's revision must be a branch, a tag or a commit.")
    return HubUri(f"{owner}/{name}", revision or "main")


def _oci(parts: SplitResult) -> OciUri:
    path, at, digest = parts.path.lstrip("/").partition("@")
    repository, colon, tag = path.partition(":")
    if not _HOST.fullmatch(parts.netloc) or not _REPOSITORY.fullmatch(repository):
        raise BadUri("The model URI names no artifact: write oci://registry/repository:tag.")
    if at and not _DIGEST.fullmatch(digest):
        raise BadUri("The model URI's digest must be sha256: and 64 hexadecimal digits.")
    if colon and not _TAG.fullmatch(tag):
        raise BadUri("The model URI's tag must be letters, digits, '.', '_' and '-'.")
    return OciUri(parts.netloc, repository, digest or tag or "latest")


def _registry(rest: str) -> RegistryUri:
    path = rest.removeprefix("/")
    if "@" in path:
        name, _, alias = path.rpartition("@")
        version, good = "", bool(_ALIAS.fullmatch(alias))
    else:
        name, _, version = path.rpartition("/")
        alias, good = "", bool(_VERSION.fullmatch(version))
    if not rest.startswith("/") or not good or not name or "/" in name or ":" in name or "@" in name:
        raise BadUri("The model URI names no model version: write models:/name/3 or models:/name@alias.")
    return RegistryUri(unquote(name), version, alias)


def _path(parts: SplitResult) -> str:
    return _checked_path(parts.path.removeprefix("/"))


def _checked_path(path: str) -> str:
    if path and not _plain(path.removesuffix("/")):
        raise BadUri("The model URI's path must not have empty parts, '.' or '..'.")
    return path


def _plain(name: str) -> bool:
    try:
        return checked_name(name) == name
    except FetchError:
        return False
