"""The fetcher from its real requirements, and real servers on the loopback that it fetches from."""

import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from support.fetching.environments import azurite, python_with, registry
from support.fetching.host import Host, serving
from support.fetching.program import Program
from support.fetching.servers import (
    AzureServer,
    MlflowServer,
    Registry,
    S3Server,
    azure_server,
    container_registry,
    mlflow_server,
    s3_server,
)


@dataclass(frozen=True)
class Installed:
    """What is made once, into the cache."""

    fetcher: Path
    servers: Path
    azurite: Path | None
    registry: Path


@pytest.fixture(scope="session")
def installed() -> Installed:
    """Everything at once, so that waiting for downloads and compiling overlap."""
    with ThreadPoolExecutor() as pool:
        fetcher, servers = pool.submit(python_with, "fetcher"), pool.submit(python_with, "fetcherservers")
        emulator, images = pool.submit(azurite) if shutil.which("npm") else None, pool.submit(registry)
        return Installed(
            fetcher.result(), servers.result(), emulator.result() if emulator is not None else None, images.result()
        )


@dataclass(frozen=True)
class Trust:
    """A certificate for localhost and the authority that signed it, as files."""

    bundle: Path
    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder = tmp_path_factory.mktemp("trust")
    found = Trust(folder / "bundle.pem", folder / "certificate.pem", folder / "key.pem")
    root = trustme.CA()
    issued = root.issue_cert("localhost", "127.0.0.1")
    root.cert_pem.write_to_path(found.bundle)
    issued.private_key_pem.write_to_path(found.key)
    for blob in issued.cert_chain_pems:
        blob.write_to_path(found.certificate, append=True)
    return found


@pytest.fixture
def program(installed: Installed, trust: Trust, tmp_path: Path) -> Program:
    """The fetcher, which trusts the tests' authority and tries everything twice."""
    return Program(installed.fetcher, tmp_path, {"SSL_CERT_FILE": str(trust.bundle)})


@pytest.fixture
def host(trust: Trust) -> Iterator[Host]:
    """A web server over TLS."""
    with serving(trust.server()) as running:
        yield running


@pytest.fixture
def other_host(trust: Trust) -> Iterator[Host]:
    """Another origin."""
    with serving(trust.server()) as running:
        yield running


@pytest.fixture(scope="session")
def s3(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(installed.servers, tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def azure(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    if installed.azurite is None:
        pytest.skip("Azure's emulator needs Node.js: install it, with npm, to run these tests")
    with azure_server(installed.azurite, installed.fetcher, tmp_path_factory.mktemp("azure")) as running:
        yield running


@pytest.fixture(scope="session")
def mlflow(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with mlflow_server(installed.servers, installed.fetcher, tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture(scope="session", params=["basic", "token"])
def images(
    request: pytest.FixtureRequest, installed: Installed, trust: Trust, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """A container registry, asking in each of the two ways."""
    folder = tmp_path_factory.mktemp("registry")
    with container_registry(
        installed.registry, request.param, trust.certificate, trust.key, trust.bundle, folder
    ) as running:
        yield running
