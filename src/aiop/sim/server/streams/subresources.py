"""The streaming subresources of pods: which there are, and who answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.errors import CommandNotStarted, ContainerNotFound, NothingLogged, PodNotFound, PortNotFound
from aiop.sim.processes.podaccess import PodAccess
from aiop.sim.server.refusals import Refused, bad_request, refused
from aiop.sim.server.streams.asked import Asked
from aiop.sim.server.streams.execution import execute
from aiop.sim.server.streams.logs import logs
from aiop.sim.server.streams.portforward import forward_ports

Object = dict[str, Any]

_ANSWERS: Mapping[str, Callable[[Asked], Awaitable[web.StreamResponse]]] = {
    "log": logs,
    "exec": execute,
    "portforward": forward_ports,
}
# What is not served, and what to do instead.
_NOT_SERVED = {
    "attach": (
        "this cluster does not attach to a process that runs: see what it writes by kubectl logs -f, or start "
        "another one beside it by kubectl exec"
    ),
    "ephemeralcontainers": (
        "this cluster adds no container to a pod that runs, so kubectl debug does not work: start a command beside its "
        "process by kubectl exec, with all the tools of this machine"
    ),
}
SUBRESOURCES = frozenset({*_ANSWERS, *_NOT_SERVED})


async def answer(request: web.Request, subresource: str, pod: Object, pods: PodAccess | None) -> web.StreamResponse:
    """Answer for ``pod``, an object of the API; raises Refused with a sentence for whoever asked."""
    meta = pod["metadata"]
    key = ObjectKey(meta["namespace"], meta["name"])
    if subresource in _NOT_SERVED:
        raise refused(501, "NotImplemented", _NOT_SERVED[subresource])
    if pods is None:
        raise _simulated(key)
    # A log outlives its process; a command and a connection need one.
    if subresource != "log" and all(each.key != key for each in pods.running()):
        raise _nothing_runs(key, pod)
    try:
        return await _ANSWERS[subresource](Asked(request, key, pod, pods))
    except PodNotFound as error:
        raise _nothing_runs(key, pod) from error
    except (ContainerNotFound, NothingLogged, CommandNotStarted, PortNotFound) as error:
        raise bad_request(str(error)) from error


def _nothing_runs(key: ObjectKey, pod: Object) -> Refused:
    """No process stands for the pod: it has not got so far, or never will."""
    status = pod.get("status") or {}
    if not pod["spec"].get("nodeName"):
        return bad_request(f"pod {key.name} does not have a host assigned")
    if status.get("phase") == "Pending" and not status.get("containerStatuses"):
        return bad_request(f'no container of pod "{key.name}" has started yet')
    return _simulated(key)


def _simulated(key: ObjectKey) -> Refused:
    return refused(
        501, "NotImplemented",
        f'the pod "{key.name}" is simulated: no process runs for it, so there is nothing to read, to enter or to '
        "connect to",
    )  # fmt: skip
