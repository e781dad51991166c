"""A certificate for the embedded server, made at start: kubectl sends a token over TLS only."""

import ssl
from dataclasses import dataclass
from typing import Self

import trustme


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server listens with and what its clients trust: an authority (PEM) of its own, known to nobody else."""

    certificate_authority: str
    context: ssl.SSLContext

    @classmethod
    def for_hosts(cls, *hosts: str) -> Self:
        """A new key and a certificate for host names and IP addresses. Touches the disk: call it in a thread."""
        authority = trustme.CA(organization_name="aiop embedded API server")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(*hosts).configure_cert(context)
        return cls(authority.cert_pem.bytes().decode(), context)
