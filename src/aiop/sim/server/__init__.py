"""The embedded API server: the Kubernetes API over HTTP, in process."""

from aiop.sim.server.http import APIServer

__all__ = ["APIServer"]
