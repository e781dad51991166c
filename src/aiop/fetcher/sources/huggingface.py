"""hf:// through huggingface_hub: all files of a model at one commit, from the hub or from HF_ENDPOINT.

The library writes the files itself and goes on where it left off. Large files are verified against their SHA-256, small
ones against their git hash.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm import tqdm

from aiop.fetcher.environment import value_of
from aiop.fetcher.errors import Failed, NotFound, TooLarge
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.sources.refusals import denied, refusal, unreachable
from aiop.fetcher.uri import HubUri

_KEYS = "HF_TOKEN"
_SECONDS = 60.0


def open_source(uri: HubUri, environment: Mapping[str, str]) -> "HubSource":
    """The model of ``uri``."""
    token = value_of(environment, "HF_TOKEN")
    endpoint = value_of(environment, "HF_ENDPOINT") or None
    return HubSource(HfApi(endpoint=endpoint, token=token or False), uri, given=bool(token))


class HubSource:
    """The files of one model, pinned to the commit that its revision had."""

    def __init__(self, api: HfApi, uri: HubUri, *, given: bool) -> None:
        self._api, self._uri, self._given = api, uri, given

    def files(self) -> Iterator[RemoteFile]:
        """Every file of the commit."""
        with _translated(self._uri, given=self._given):
            info = self._api.model_info(
                self._uri.repository, revision=self._uri.revision, files_metadata=True, timeout=_SECONDS
            )
        for entry in info.siblings or ():
            yield _file(entry, str(info.sha))

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """Never called: `save` stands in for it."""
        raise NotImplementedError

    def save(self, file: RemoteFile, folder: Path, arrived: Callable[[int], None]) -> Path:
        """The library's own download into ``folder``."""
        if file.size is not None and file.size > constants.MAX_HTTP_DOWNLOAD_SIZE and constants.HF_HUB_DISABLE_XET:
            raise TooLarge(
                f"{file.name!a} is larger than the hub gives over plain HTTPS; put HF_HUB_DISABLE_XET=0 into the "
                "Secret and give the fetcher 8 GiB of memory."
            )
        with _translated(self._uri, given=self._given):
            path = self._api.hf_hub_download(
                self._uri.repository,
                file.key,
                revision=file.version,
                local_dir=folder / "hub",
                tqdm_class=_bar(arrived),
            )
        return Path(path)


def _file(entry: Any, commit: str) -> RemoteFile:
    large = entry.lfs
    digest = f"sha256:{large.sha256}" if large else f"git:{entry.blob_id}" if entry.blob_id else ""
    return RemoteFile(
        name=entry.rfilename,
        key=entry.rfilename,
        size=large.size if large else entry.size,
        version=commit,
        digest=digest,
    )


def _bar(arrived: Callable[[int], None]) -> type[tqdm]:
    """What the library takes for a progress bar; it shows nothing and tells ``arrived`` what came."""

    class Bar(tqdm):  # type: ignore[misc]  # Any where the library is not installed
        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            super().__init__(disable=True)

        def update(self, n: float | None = 1) -> None:
            arrived(int(n or 0))

    return Bar


@contextmanager
def _translated(uri: HubUri, *, given: bool) -> Iterator[None]:
    what = f"The hub's {uri.repository}"
    try:
        yield
    except GatedRepoError as error:
        raise denied(
            what=f"{what}, whose terms must be accepted on its page first,", keys=_KEYS, given=given
        ) from error
    except RepositoryNotFoundError as error:
        # The hub does not tell strangers whether a private model exists.
        hint = "the token may not see it" if given else "it is private and needs HF_TOKEN in the Secret"
        raise NotFound(f"{what} does not exist, or {hint}; check the model URI.") from error
    except RevisionNotFoundError as error:
        raise NotFound(f"{what} has no revision {uri.revision!a}; check the model URI.") from error
    except LocalEntryNotFoundError as error:
        raise unreachable(error, what="The hub") from error
    except HfHubHTTPError as error:
        raise refusal(error.response.status_code, what=what, keys=_KEYS, given=given) from error
    except (httpx2.HTTPError, FileMetadataError) as error:
        raise unreachable(error, what="The hub") from error
    except HFValidationError as error:
        raise Failed(f"{what} is a name that the hub does not take.") from error
