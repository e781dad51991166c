"""Start the real control plane on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

TLS, RBAC and the audit log are on. As a script it stays up until SIGTERM, SIGINT or the end of its input:
`python -m hack.controlplane.launch --kubeconfig PATH`.
"""

import argparse
import base64
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from hack.controlplane.build import ensure_built
from hack.controlplane.processes import Component, wait_until
from hack.ports import free_ports

# A quiet 2-core machine is ready in 5 s; the rest is for a busy one.
_START_SECONDS = 120.0
_STOP_SECONDS = 15.0

# Who wrote what, with the bodies: this is what tests count writes by.
AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Request
  verbs: [create, update, patch, delete, deletecollection]
- level: None
"""

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class User:
    """Someone whom the API server knows by a token; ``group`` may be empty."""

    name: str
    token: str
    group: str = ""


class ControlPlane:
    """A control plane in a folder of its own; a context manager, or `start` and `stop`.

    ``binaries`` is a folder that holds the four programs under their own names (as KUBEBUILDER_ASSETS does); without
    it the multi-call binary of `build.py` is used. ``audit_policy`` says what the audit log holds; the default holds
    each write with its body. ``options`` are more arguments of kube-apiserver, ``manager_options`` of
    kube-controller-manager. ``address`` is where the API server listens, and what Pods reach it by if it is not
    loopback. ``users`` may come with their tokens, beside the administrator.
    """

    def __init__(
        self,
        folder: Path,
        *,
        version: str | None = None,
        binaries: Path | None = None,
        audit_policy: str = AUDIT_POLICY,
        options: Sequence[str] = (),
        manager_options: Sequence[str] = (),
        address: str = LOOPBACK,
        users: Sequence[User] = (),
    ) -> None:
        self.folder = folder
        self._version = version
        self._binaries = binaries
        self._audit_policy = audit_policy
        self._options = options
        self._manager_options = manager_options
        self._address = address
        self._users = users
        self._components: list[Component] = []
        self._ports = free_ports(5)
        self.token = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"https://{self._address}:{self._ports[0]}"

    @property
    def etcd_url(self) -> str:
        """Where etcd listens, without TLS."""
        return f"http://127.0.0.1:{self._ports[1]}"

    @property
    def etcd_data(self) -> Path:
        """What etcd keeps; a copy is a backup if it was made while etcd was stopped."""
        return self.folder / "etcd"

    @property
    def certificate_authority(self) -> Path:
        """What signs the API server's certificate: itself."""
        return self.folder / "certs" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line, for each write."""
        return self.folder / "audit.log"

    def start(self) -> Self:
        """Start everything and return once the API server is ready; raises ProcessFailed or BuildFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_files()
        try:
            self._start_etcd()
            self._start_api_server()
            self._start_clients()
        except BaseException:
            self.stop(0.0)  # nothing of it has been used yet
            raise
        return self

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Stop in reverse order, each killed after ``seconds``; each has ended when this returns.

        ``start`` brings it back on the same ports, with the data that ``etcd_data`` holds by then.
        """
        while self._components:
            self._components.pop().stop(seconds)

    def check(self) -> None:
        """Raise ProcessFailed if a component has ended by itself."""
        for component in self._components:
            component.check()

    def stop_api_server(self) -> None:
        """Take the API server away and leave the rest: what a bad day looks like."""
        self._component("kube-apiserver").stop(_STOP_SECONDS)

    def start_api_server_again(self) -> None:
        """Bring it back on the same port with the same data."""
        self._components.remove(self._component("kube-apiserver"))
        self._start_api_server(at=1)

    def write_kubeconfig(self, path: Path, token: str) -> Path:
        """A kubeconfig for the bearer of ``token``."""
        path.write_text(json.dumps(_kubeconfig(self.url, self.certificate_authority, token)))
        path.chmod(0o600)
        return path

    def _component(self, name: str) -> Component:
        return next(component for component in self._components if component.name == name)

    def _run(self, name: str, *arguments: str, at: int | None = None) -> Component:
        component = Component(name, [*self._command(name), *arguments], self.folder)
        self._components.insert(len(self._components) if at is None else at, component)
        return component

    def _command(self, name: str) -> list[str]:
        if self._binaries is None:
            return [str(ensure_built(self._version)), name]
        return [str(self._binaries / name)]

    def _has(self, name: str) -> bool:
        return self._binaries is None or (self._binaries / name).exists()

    def _write_files(self) -> None:
        users = [User("admin", self.token, "system:masters"), *self._users]
        lines = [f'{user.token},{user.name},{user.name},"{user.group}"\n' for user in users]
        (self.folder / "tokens.csv").write_text("".join(lines))
        (self.folder / "audit-policy.yaml").write_text(self._audit_policy)
        key = self.folder / "service-account.key"
        if not key.exists():  # else tokens would end with a restart
            key.write_text(_private_key())

    def _start_etcd(self) -> None:
        client, peer = self.etcd_url, f"http://127.0.0.1:{self._ports[2]}"
        data = str(self.etcd_data)
        if self._binaries is None:
            self._run("etcd", "--data-dir", data, "--client-url", client, "--peer-url", peer)
            return
        urls = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
        self._run("etcd", "--data-dir", data, "--unsafe-no-fsync", *urls)

    def _start_api_server(self, at: int | None = None) -> None:
        key = str(self.folder / "service-account.key")
        component = self._run(
            "kube-apiserver",
            f"--etcd-servers={self.etcd_url}",
            f"--secure-port={self._ports[0]}",
            f"--bind-address={self._address}",
            f"--advertise-address={self._address}",
            f"--cert-dir={self.folder / 'certs'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            # Loopback is no address for an EndpointSlice.
            f"--endpoint-reconciler-type={'none' if self._address == LOOPBACK else 'lease'}",
            "--allow-privileged=true",
            f"--audit-log-path={self.audit_log}",
            f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
            *self._options,
            at=at,
        )
        wait_until(self._is_ready, [component], _START_SECONDS)
        self.write_kubeconfig(self.kubeconfig, self.token)

    def _start_clients(self) -> None:
        manager_port, scheduler_port = self._ports[3:5]
        kubeconfig = f"--kubeconfig={self.kubeconfig}"
        common = ["--bind-address=127.0.0.1", "--leader-elect=false", f"--cert-dir={self.folder / 'certs'}"]
        if self._has("kube-controller-manager"):
            self._run(
                "kube-controller-manager",
                kubeconfig,
                *common,
                f"--secure-port={manager_port}",
                f"--service-account-private-key-file={self.folder / 'service-account.key'}",
                f"--root-ca-file={self.certificate_authority}",
                "--use-service-account-credentials=true",
                *self._manager_options,
            )
        if self._has("kube-scheduler"):
            self._run("kube-scheduler", kubeconfig, *common, f"--secure-port={scheduler_port}")
        listening = [
            port
            for name, port in (("kube-controller-manager", manager_port), ("kube-scheduler", scheduler_port))
            if self._has(name)
        ]
        wait_until(lambda: all(_listens(port) for port in listening), self._components, _START_SECONDS)

    def _is_ready(self) -> bool:
        if not self.certificate_authority.exists():
            return False
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 - https, ours
        try:
            trust = ssl.create_default_context(cafile=str(self.certificate_authority))
            with urllib.request.urlopen(request, context=trust, timeout=2) as answer:  # noqa: S310 - https, ours
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except (OSError, urllib.error.URLError):
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _kubeconfig(url: str, authority: Path, token: str) -> dict[str, object]:
    cluster = {"server": url, "certificate-authority": str(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "aiop", "cluster": cluster}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "aiop", "context": {"cluster": "aiop", "user": "user", "namespace": "default"}}],
        "current-context": "aiop",
    }


def _private_key() -> str:
    """A P-256 key in SEC 1 form, whose public half the reader computes: version, scalar, curve."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    scalar = (1 + secrets.randbelow(order - 1)).to_bytes(32, "big")
    der = bytes.fromhex("30310201010420") + scalar + bytes.fromhex("a00a06082a8648ce3d030107")
    body = base64.b64encode(der).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Stay up until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, help="where to write the administrator's kubeconfig")
    parser.add_argument("--version", default=None, help="the Kubernetes version")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_once)

    def follow_caller() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow_caller, daemon=True).start()
    with suppress(_Told), _running(options.version, options.kubeconfig):
        threading.Event().wait()
    return 0


class _Told(BaseException):
    """Raised in the main thread when it is told to stop, however far it has come; no `except Exception` is meant."""


def _stop_once(*_: object) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise _Told


@contextmanager
def _running(version: str | None, kubeconfig: Path | None) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="aiop-controlplane-") as folder:
        assets = os.environ.get("KUBEBUILDER_ASSETS")
        plane = ControlPlane(Path(folder), version=version, binaries=Path(assets) if assets else None)
        with plane:
            if kubeconfig:
                plane.write_kubeconfig(kubeconfig, plane.token)
            print(f"ready: {plane.url} (kubeconfig {kubeconfig or plane.kubeconfig})", flush=True)
            yield


if __name__ == "__main__":
    sys.exit(main())
