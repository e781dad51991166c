"""What every source promises to the machinery above it, and how a URI finds its source.

A source's module, and with it the library it stands on, is imported only when a URI of its scheme is fetched.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.uri import AzureUri, BucketUri, HttpsUri, HubUri, ModelUri, OciUri, RegistryUri

# Takes the next bytes of a stream, in order; may raise to end it.
Sink = Callable[[bytes], None]


class Source(Protocol):
    """Lists files and reads them. Methods may be called from several threads at once.

    Both methods raise FetchError alone, Interrupted where another try may help.
    """

    def files(self) -> Iterator[RemoteFile]:
        """The model's files, one by one as pages of the listing come; raises NotFound if there is nothing."""

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        """Give ``sink`` the bytes of ``file`` from ``start`` up to ``stop`` (None: to its end).

        Raises SourceChanged if the file is not the version that was listed, RangeRefused if ``start`` is above 0 and
        the server sends all of it. Pieces are at most a few MiB. A stream that breaks off may simply end.
        """


@runtime_checkable
class FileSource(Protocol):
    """A source whose library writes files itself."""

    def save(self, file: RemoteFile, folder: Path, arrived: Callable[[int], None]) -> Path:
        """Fetch ``file`` somewhere below ``folder`` and return where it lies; ``arrived`` is told numbers of bytes.

        A second call goes on where the first one ended, as far as the library can.
        """


_MODULES = {
    "s3": "s3",
    "gs": "googlecloud",
    AzureUri: "azureblob",
    HttpsUri: "https",
    HubUri: "huggingface",
    OciUri: "oci",
    RegistryUri: "mlflowregistry",
}


def source_of(uri: ModelUri, environment: Mapping[str, str]) -> Source:
    """The source of ``uri`` with the credentials in ``environment``.

    Raises MissingCredentials and the like where the environment cannot be right. Libraries may read the process's
    own environment as well.
    """
    kind = uri.scheme if isinstance(uri, BucketUri) else type(uri)
    module = importlib.import_module(f"aiop.fetcher.sources.{_MODULES[kind]}")
    source: Source = module.open_source(uri, environment)
    return source
