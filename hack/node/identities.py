"""Who the node's programs are to one another: their tokens, and the certificates that the API server shows."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

from hack.controlplane.launch import User

# User → group, beside the administrator. What each may do stands in manifests.py, or comes with Kubernetes.
_USERS = {"kube-proxy": "", "coredns": "", "traefik": "", "metrics-server": ""}
_FRONT_PROXY, _KUBELET_CLIENT = "front-proxy-client", "kube-apiserver-kubelet-client"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files: what the kubelet trusts, and what the API server shows to it and to API services."""

    authority: Path
    kubelet_client: Path
    front_proxy: Path

    def options(self) -> list[str]:
        """The API server's options that name them."""
        return [
            f"--kubelet-client-certificate={self.kubelet_client}",
            f"--kubelet-client-key={self.kubelet_client}",
            f"--requestheader-client-ca-file={self.authority}",
            f"--requestheader-allowed-names={_FRONT_PROXY}",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={self.front_proxy}",
            f"--proxy-client-key-file={self.front_proxy}",
        ]


def certificates(folder: Path) -> Certificates:
    """Make them, signed by an authority whose key is kept nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    (folder / "authority.pem").write_bytes(authority.cert_pem.bytes())
    for name in (_KUBELET_CLIENT, _FRONT_PROXY):
        issued = authority.issue_cert("client@example.org", common_name=name)
        path = folder / f"{name}.pem"
        path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        path.chmod(0o600)
    return Certificates(folder / "authority.pem", folder / f"{_KUBELET_CLIENT}.pem", folder / f"{_FRONT_PROXY}.pem")


def users(node: str) -> Mapping[str, User]:
    """The programs by their names, with tokens of this start."""
    known = {name: User(f"system:{name}", secrets.token_urlsafe(24), group) for name, group in _USERS.items()}
    kubelet = User(f"system:node:{node}", secrets.token_urlsafe(24), "system:nodes")
    return {**known, "kubelet": kubelet}
