"""Where an MLflow registry may keep a model that is fetched: it is another's word, and its client obeys it."""

from urllib.parse import urlsplit

from aiop.fetcher.errors import BadUri, Failed
from aiop.fetcher.uri import parse_uri

# The schemes of our own that have sources of our own.
CLOUDS = ("s3", "gs", "azure")
_AZURE_SUFFIX = ".blob.core.windows.net"
_SERVED = "/api/2.0/mlflow-artifacts/artifacts"


def checked_location(location: str, tracking: str) -> str:
    """``location`` as a URI that is fetched: of a cloud, or of the tracking server itself; raises Failed for others."""
    parts = urlsplit(location)
    container, _, host = parts.netloc.partition("@")
    if parts.scheme == "wasbs" and host.endswith(_AZURE_SUFFIX):
        location = f"azure://{host.removesuffix(_AZURE_SUFFIX)}/{container}{parts.path}"
        parts = urlsplit(location)
    if any(character.isspace() for character in location):
        raise Failed("The registry keeps the model at a place with spaces in its name, which is not fetched.")
    if parts.scheme in CLOUDS:
        try:
            parse_uri(location)
        except BadUri as error:
            raise Failed(f"The registry keeps the model at a place that is not fetched: {error}") from error
        return location
    served = parts.scheme in {"http", "https"} and _SERVED in parts.path
    own = not parts.netloc or _host(location) == _host(tracking)
    if (parts.scheme == "mlflow-artifacts" or (served and parts.scheme == urlsplit(tracking).scheme)) and own:
        return location
    place = parts.scheme or "file"
    raise Failed(
        f"The registry keeps the model at a {place}: location, which cannot be fetched from here; let the tracking "
        "server serve artifacts, or keep them in s3, gs or Azure."
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2].lower()
