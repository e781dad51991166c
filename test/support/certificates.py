"""A certificate authority of a test's own and what it signs, as files and as the server's half of TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from aiohttp import web


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    def __init__(self) -> None:
        self._authority = trustme.CA()

    @property
    def pem(self) -> bytes:
        return self._authority.cert_pem.bytes()

    def write(self, path: Path) -> str:
        path.write_bytes(self.pem)
        return str(path)

    def client(self, name: str) -> Pair:
        issued = self._authority.issue_cert("client@example.org", common_name=name)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        return Pair(chain.decode(), issued.private_key_pem.bytes().decode())

    def server(self, *names: str, ask_clients: bool = False) -> ssl.SSLContext:
        """TLS for a server of these names (127.0.0.1 if none); ``ask_clients`` asks for a certificate of ours."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
        if ask_clients:
            context.verify_mode = ssl.CERT_OPTIONAL
            self._authority.configure_trust(context)
        return context


def client_name(request: web.Request) -> str:
    """The common name in the certificate that the client showed; empty if it showed none."""
    assert request.transport is not None
    shown = request.transport.get_extra_info("peercert") or {}
    names = [value for part in shown.get("subject", ()) for kind, value in part if kind == "commonName"]
    return names[0] if names else ""
