"""The environment as the libraries see it: credentials tidied, and nothing that phones home or prints."""

from collections.abc import Iterator, Mapping, MutableMapping

# Whose values people paste into Secrets with a line break at the end.
_TIDIED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_ENDPOINT",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "HF_TOKEN",
    "HF_ENDPOINT",
    "OCI_USERNAME",
    "OCI_PASSWORD",
    "HTTPS_AUTHORIZATION",
    "HTTPS_USERNAME",
    "HTTPS_PASSWORD",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
)
_DEFAULTS = {
    # The node's own identity is not the namespace's.
    "AWS_EC2_METADATA_DISABLED": "true",
    # The plain protocol holds one piece of 10 MiB in memory; the other one holds gigabytes.
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Retries are ours, so that they are counted once.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "GIT_PYTHON_REFRESH": "quiet",
    "HOME": "/tmp",  # noqa: S108 - where any user may write under a read-only root
}
# A certificate authority of one's own is set once, by OpenSSL's variable, for all libraries.
_AUTHORITY, _AUTHORITY_COPIES = "SSL_CERT_FILE", ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")


def prepare(environment: MutableMapping[str, str]) -> None:
    """Tidy ``environment`` in place, before any library is imported; what is set already stays."""
    environment.update(dict(_tidied(environment)))
    for name, value in _DEFAULTS.items():
        if not environment.get(name):
            environment[name] = value
    if environment.get(_AUTHORITY):
        for copy in _AUTHORITY_COPIES:
            environment.setdefault(copy, environment[_AUTHORITY])


def value_of(environment: Mapping[str, str], *names: str) -> str:
    """The first of the variables that is set and not empty; empty if none is."""
    return next((environment[name] for name in names if environment.get(name)), "")


def _tidied(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _TIDIED:
        if name in environment:
            yield name, environment[name].strip()
