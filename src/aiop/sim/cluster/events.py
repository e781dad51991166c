"""Events as Kubernetes' own components write them: one object a story, counted up when it happens again."""

from collections import OrderedDict
from dataclasses import dataclass

from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import uid_of

# The older of the two Event APIs: `kubectl describe` and `kubectl get events` read it.
CORE_EVENTS = Resource("", "v1", "Event", "events")
# As many stories as a real event correlator remembers.
_REMEMBERED = 4096


@dataclass(slots=True)
class _Told:
    key: ObjectKey
    count: int = 1


class Events:
    """One component's voice. An event that cannot be written is lost, as a real one is."""

    def __init__(self, api: ClusterAPI, clock: Clock, component: str) -> None:
        self._api = api
        self._clock = clock
        self._component = component
        self._told: OrderedDict[tuple[str, str, str], _Told] = OrderedDict()

    async def normal(self, about: Object, reason: str, message: str) -> None:
        """Something went as it should."""
        await self._say(about, "Normal", reason, message)

    async def warning(self, about: Object, reason: str, message: str) -> None:
        """Something did not."""
        await self._say(about, "Warning", reason, message)

    async def _say(self, about: Object, kind: str, reason: str, message: str) -> None:
        story = (uid_of(about), reason, message)
        try:
            if told := self._told.get(story):
                told.count += 1
                patch = {"count": told.count, "lastTimestamp": moment_of(self._clock)}
                await self._api.patch(CORE_EVENTS, told.key, patch)
            else:
                await self._begin(story, about, kind)
        except ClientError:
            self._told.pop(story, None)

    async def _begin(self, story: tuple[str, str, str], about: Object, kind: str) -> None:
        meta, moment = about["metadata"], moment_of(self._clock)
        namespace = meta.get("namespace") or "default"
        _, reason, message = story
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": namespace},
            "involvedObject": _reference(about),
            "reason": reason,
            "message": message,
            "type": kind,
            "count": 1,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
        }
        created = await self._api.create(CORE_EVENTS, namespace, event)
        self._told[story] = _Told(ObjectKey(namespace, created["metadata"]["name"]))
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)


def _reference(about: Object) -> Object:
    meta = about["metadata"]
    reference = {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": meta["name"], "uid": meta["uid"]}
    if meta.get("namespace"):
        reference["namespace"] = meta["namespace"]
    return {**reference, "resourceVersion": meta["resourceVersion"]}
