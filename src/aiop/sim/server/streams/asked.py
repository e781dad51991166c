"""One request for a stream, and its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.podaccess import PodAccess
from aiop.sim.server.refusals import bad_request


@dataclass(frozen=True, slots=True)
class Asked:
    """``pod`` is the object of the API, ``pods`` knows its processes."""

    request: web.Request
    key: ObjectKey
    pod: Mapping[str, Any]
    pods: PodAccess

    def flag(self, name: str) -> bool:
        """A parameter that is true or not."""
        return self.request.query.get(name, "") in {"true", "1"}

    def number(self, name: str, *, least: int) -> int | None:
        """A parameter that is a number, None if it is not given; raises Refused for one below ``least``."""
        text = self.request.query.get(name)
        if text is None:
            return None
        try:
            number = int(text)
        except ValueError as error:
            raise bad_request(f'{name}: "{text}" is not a number') from error
        if number < least:
            raise bad_request(f"{name}: Invalid value: {number}: must be greater than or equal to {least}")
        return number

    def container(self, *, running: bool = False) -> str:
        """The container that is meant; raises Refused if it is not of the pod, or none is named of several.

        With ``running`` an init container that has ended counts as unknown too.
        """
        spec = self.pod["spec"]
        mains = [each["name"] for each in spec.get("containers") or []]
        names = [*mains, *(each["name"] for each in spec.get("initContainers") or [])]
        name = self.request.query.get("container", "")
        if name and name not in names:
            raise bad_request(f"container {name} is not valid for pod {self.key.name}")
        if not name and len(mains) > 1:
            message = f"a container name must be specified for pod {self.key.name}, choose one of: [{' '.join(mains)}]"
            raise bad_request(message)
        name = name or mains[0]
        if running and name not in _running(self.pod):
            raise bad_request(f'container "{name}" of pod "{self.key.name}" does not run')
        return name


def _running(pod: Mapping[str, Any]) -> set[str]:
    status = pod.get("status") or {}
    listed = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    return {each["name"] for each in listed if (each.get("state") or {}).get("running")}
