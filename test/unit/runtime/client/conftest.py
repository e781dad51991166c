"""A server on loopback and a client of it."""

from support.apiclient import client, kubeconfig, no_proxy_and_no_cluster, server, transport

__all__ = ["client", "kubeconfig", "no_proxy_and_no_cluster", "server", "transport"]
