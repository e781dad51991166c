"""`kubectl port-forward`."""

from aiohttp import web

from aiop.sim.server.refusals import refused
from aiop.sim.server.streams.asked import Asked


async def forward_ports(asked: Asked) -> web.StreamResponse:
    """Not served: says so, and what to do instead."""
    address = next((each.address for each in asked.pods.running() if each.key == asked.key), "")
    where = f"; the pod listens on this machine, at {address}" if address else ""
    raise refused(501, "NotImplemented", f"this cluster does not forward ports{where}")
