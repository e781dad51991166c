"""What the tests of the contract share."""

from support.apiclient import client, kubeconfig, no_proxy_and_no_cluster, server, transport

__all__ = ["client", "kubeconfig", "no_proxy_and_no_cluster", "server", "transport"]
