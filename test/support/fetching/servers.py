"""The real servers that the fetcher is run against, each a process on the loopback, and how they are filled."""

import json
import os
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.ports import free_port

_START_SECONDS = 120.0
ACCOUNT, ACCOUNT_KEY = "modelaccount", "cGxhbnRlZC1hY2NvdW50LWtleQ=="


@contextmanager
def running(command: list[str], log: Path, ready: Callable[[], bool], **environment: str) -> Iterator[None]:
    """``command`` as a process from the moment that it is ``ready``; it is ended in the end."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str, context: ssl.SSLContext | None = None) -> Callable[[], bool]:
    """Whether anything answers at ``url``."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5, context=context):  # noqa: S310 - of our own
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    return ask


def call(url: str, data: bytes = b"", method: str = "GET", **headers: str) -> bytes:
    """The body of an answer to a plain request; underscores in header names mean dashes."""
    named = {"Content-Type": "application/octet-stream", **{name.replace("_", "-"): headers[name] for name in headers}}
    request = urllib.request.Request(url, data=data or None, method=method, headers=named)  # noqa: S310 - of our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - of our own
        return bytes(answer.read())


@dataclass
class S3Server:
    """moto's server. It takes any credentials until `guard` was called."""

    address: str

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.address, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "planted-s3-key"}

    def fill(self, bucket: str, contents: Mapping[str, bytes], access: str = "private") -> None:
        call(f"{self.address}/{bucket}", method="PUT", Authorization=_UNSIGNED)
        for name, content in contents.items():
            call(f"{self.address}/{bucket}/{name}", content, "PUT", Authorization=_UNSIGNED, x_amz_acl=access)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Meanwhile only known credentials get in."""
        before = json.loads(call(f"{self.address}/moto-api/reset-auth", b"0", "POST"))
        try:
            yield
        finally:
            count = str(before.get("PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT", 2**40)).encode()
            call(f"{self.address}/moto-api/reset-auth", count, "POST")


# moto reads the region from it and checks nothing.
_UNSIGNED = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none"


@contextmanager
def s3_server(python: Path, folder: Path) -> Iterator[S3Server]:
    address = f"http://127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    command = [str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    with running(command, folder / "s3.log", answers(f"{address}/moto-api/data.json")):
        yield S3Server(address)


@dataclass
class AzureServer:
    """Azurite with one account. ``python`` has Azure's own library, which fills it."""

    address: str
    python: Path

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.address}/{ACCOUNT};"
        )

    def fill(self, container: str, contents: Mapping[str, bytes], *, public: bool = False) -> None:
        script = (
            "import json, sys; from azure.storage.blob import BlobServiceClient\n"
            "connection, container, public, contents = json.load(sys.stdin)\n"
            "service = BlobServiceClient.from_connection_string(connection)\n"
            "client = service.create_container(container, public_access='container' if public else None)\n"
            "for name, content in contents.items(): client.upload_blob(name, bytes.fromhex(content))\n"
        )
        scripted(self.python, script, [self.connection_string, container, public, _hexed(contents)])

    def signature(self, container: str) -> str:
        """A shared access signature that may read and list ``container``."""
        script = (
            "import json, sys, datetime\n"
            "from azure.storage.blob import ContainerSasPermissions, generate_container_sas\n"
            "account, key, container = json.load(sys.stdin)\n"
            "expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)\n"
            "rights = ContainerSasPermissions(read=True, list=True)\n"
            "print(generate_container_sas(account, container, account_key=key, permission=rights, expiry=expiry))\n"
        )
        return scripted(self.python, script, [ACCOUNT, ACCOUNT_KEY, container]).strip()


@contextmanager
def azure_server(azurite: Path, python: Path, folder: Path) -> Iterator[AzureServer]:
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    options = ["--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck"]
    command = [str(azurite), *options, "--disableTelemetry", "--silent"]
    with running(command, folder / "azure.log", answers(address), AZURITE_ACCOUNTS=f"{ACCOUNT}:{ACCOUNT_KEY}"):
        yield AzureServer(address, python)


@dataclass
class MlflowServer:
    """MLflow's tracking server with its own user administration. ``python`` has MLflow's client, which fills it."""

    address: str
    python: Path
    user: str = "keeper"
    password: str = "planted-mlflow-password"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MLFLOW_TRACKING_URI": self.address,
            "MLFLOW_TRACKING_USERNAME": self.user,
            "MLFLOW_TRACKING_PASSWORD": self.password,
        }

    def fill(self, name: str, contents: Mapping[str, bytes], *, alias: str = "", source: str = "") -> str:
        """A new version of the model ``name`` of ``contents``, or kept at ``source``; returns its number."""
        script = (
            "import json, sys, tempfile, pathlib; from mlflow import MlflowClient\n"
            "name, contents, alias, source = json.load(sys.stdin)\n"
            "client = MlflowClient()\n"
            "if not client.search_registered_models(f\"name='{name}'\"): client.create_registered_model(name)\n"
            "run = client.create_run('0')\n"
            "with tempfile.TemporaryDirectory() as folder:\n"
            "  for file, content in contents.items():\n"
            "    path = pathlib.Path(folder, file); path.parent.mkdir(parents=True, exist_ok=True)\n"
            "    path.write_bytes(bytes.fromhex(content))\n"
            "  if contents: client.log_artifacts(run.info.run_id, folder, 'model')\n"
            "source = source or run.info.artifact_uri + '/model'\n"
            "version = client.create_model_version(name, source, run.info.run_id)\n"
            "if alias: client.set_registered_model_alias(name, alias, version.version)\n"
            "print(version.version)\n"
        )
        given = {**self.environment, "MLFLOW_DISABLE_TELEMETRY": "true"}
        return scripted(self.python, script, [name, _hexed(contents), alias, source], **given).split()[-1]


@contextmanager
def mlflow_server(server: Path, client: Path, folder: Path) -> Iterator[MlflowServer]:
    port = str(free_port())
    found = MlflowServer(f"http://127.0.0.1:{port}", client)
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\n"
        f"admin_username = {found.user}\nadmin_password = {found.password}\n"
    )
    command = [
        str(server.parent / "mlflow"),
        "server",
        "--app-name",
        "basic-auth",
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    stores = ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    environment = {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": found.password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "any",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with running(
        [*command, *stores, *artifacts], folder / "mlflow.log", answers(found.address + "/health"), **environment
    ):
        yield found


@dataclass
class Registry:
    """A container registry that wants its user and password, straight or for a token."""

    port: int
    context: ssl.SSLContext
    user: str = "keeper"
    password: str = "planted-registry-password"

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"OCI_USERNAME": self.user, "OCI_PASSWORD": self.password}

    def blob(self, repository: str, digest: str, content: bytes) -> None:
        self._call("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", content, "application/octet-stream")

    def manifest(self, repository: str, reference: str, manifest: Mapping[str, Any]) -> None:
        kind = "application/vnd.oci.image.index.v1+json" if "manifests" in manifest else _MANIFEST
        self._call("PUT", f"/v2/{repository}/manifests/{reference}", json.dumps(manifest).encode(), kind)

    def _call(self, method: str, path: str, data: bytes, kind: str) -> None:
        headers = {"X-Fill": "yes", "Content-Type": kind}
        request = urllib.request.Request(f"https://{self.address}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60, context=self.context):  # noqa: S310 - of our own
            pass


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@contextmanager
def container_registry(
    binary: Path, mode: str, certificate: Path, key: Path, authority: Path, folder: Path
) -> Iterator[Registry]:
    context = ssl.create_default_context(cafile=str(authority))
    found = Registry(free_port(), context)
    command = [str(binary), found.address, str(certificate), str(key), mode, found.user, found.password]
    with running(command, folder / f"registry-{mode}.log", answers(f"https://{found.address}/v2/", context)):
        yield found


def scripted(python: Path, script: str, data: Any, **environment: str) -> str:
    """What ``script`` prints, run by ``python`` with ``data`` as JSON on its standard input."""
    known = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment}
    done = subprocess.run(
        [str(python), "-c", script],
        input=json.dumps(data),
        env=known,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _hexed(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: content.hex() for name, content in contents.items()}
