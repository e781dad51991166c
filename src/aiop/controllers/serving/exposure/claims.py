"""Who may have which path and which host: the oldest workload that asks. Pure.

A host belongs to the namespace of the oldest workload that names it, or a host that it meets by a wildcard, whichever
way it is served; what two hosts have in common is the narrower of them. The paths of a host belong to the workloads of
its namespace, and a path without a host to one workload of the cluster, a way. What is asked for counts, not what could
be exposed: a workload that waits for one path holds its place for the others, so that nobody loses a path because a
third one left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.asked import Asked, asked_of
from aiop.controllers.serving.exposure.ways import Way
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.owned import Owned


@dataclass(frozen=True, slots=True)
class Claimant:
    """A workload that asks for something outside; ``created`` is its creationTimestamp."""

    key: ObjectKey
    uid: str
    created: str
    asked: Asked

    @property
    def age(self) -> tuple[str, str]:
        """The smaller, the older; no two are equal."""
        return self.created, self.uid


class Place(NamedTuple):
    """A path of a host. ``namespace`` is whose host it is; both are empty for a path of every host."""

    namespace: str
    host: str
    path: str


class Ledger(Protocol):
    """Who else asks for something, as the caches show it at one moment."""

    def claimants(self, place: Place) -> Sequence[Claimant]:
        """Of each way that is asked for, the oldest claimant of that place."""
        ...

    def contested(self, host: str, namespace: str) -> Sequence[str]:
        """What ``host`` has in common with hosts that other namespaces than that one ask for."""
        ...

    def host_owner(self, host: str) -> Claimant | None:
        """The oldest claimant of a host that meets ``host``."""
        ...

    def leading_to(self, hosts: Sequence[str], route: str) -> Sequence[Owned]:
        """The Ingresses of those hosts whose class rewrites nothing, and which would lead to ``route`` as it is."""
        ...

    def owner(self, view: Owned) -> Claimant | None:
        """The workload that exposes something by that object; None if it is gone, or asks for nothing any more."""
        ...


class NoClaims:
    """A `Ledger` of nobody."""

    def claimants(self, place: Place) -> Sequence[Claimant]:  # noqa: ARG002 - there is nobody to ask for
        """Nobody."""
        return ()

    def contested(self, host: str, namespace: str) -> Sequence[str]:  # noqa: ARG002 - there is nobody to ask for
        """Nothing."""
        return ()

    def host_owner(self, host: str) -> Claimant | None:  # noqa: ARG002 - there is nobody to ask for
        """Nobody."""
        return None

    def leading_to(self, hosts: Sequence[str], route: str) -> Sequence[Owned]:  # noqa: ARG002 - there is nobody to ask for
        """None."""
        return ()

    def owner(self, view: Owned) -> Claimant | None:  # noqa: ARG002 - there is nobody to ask for
        """Nobody."""
        return None


def claimant_of(view: CustomObject) -> Claimant | None:
    """None for a workload that asks for nothing, or is being deleted: it holds nothing any more."""
    meta = view.metadata
    if meta.deletion_timestamp:
        return None
    asked = asked_of(view.spec, meta.namespace)
    key = ObjectKey(meta.namespace, meta.name)
    return None if asked is None else Claimant(key, meta.uid, meta.creation_timestamp, asked)


def places(namespace: str, hosts: Sequence[str], path: str) -> list[Place]:
    """Every place of that path; a slash at its end makes no other one, for a prefix means the same with and without."""
    trimmed = path.rstrip("/") or "/"
    return [Place(namespace, host, trimmed) for host in hosts] or [Place("", "", trimmed)]


def denial(me: Claimant, ledger: Ledger, way_of: Callable[[Asked], Way]) -> NotAccepted | None:
    """Why ``me`` may not have all that it asks for: PathTaken or HostTaken, naming field and fix; None if it may."""
    for host in me.asked.hosts:
        if is_anothers(host, me.key.namespace, ledger):
            return _host_taken(me, host)
    way = way_of(me.asked)
    for place in places(me.key.namespace, me.asked.hosts, me.asked.path):
        rivals = [each for each in ledger.claimants(place) if each.uid != me.uid and way.meets(way_of(each.asked))]
        holder = min(rivals, key=lambda each: each.age, default=me)
        if holder.age < me.age:
            return _path_taken(me, place, holder, way)
    return None


def is_anothers(host: str, namespace: str, ledger: Ledger) -> bool:
    """True if that host, or a part of it, belongs to another namespace."""
    owners = (ledger.host_owner(common) for common in ledger.contested(host, namespace))
    return any(owner is not None and owner.key.namespace != namespace for owner in owners)


def _host_taken(me: Claimant, host: str) -> NotAccepted:
    field = "spec.gateway.hostnames" if me.asked.gateway else "spec.ingress.host"
    return NotAccepted(
        "HostTaken",
        f"{field}: {host!r} belongs to another namespace, of which an older workload answers for it or for a host that "
        f"it meets{_ADVICE}host. {_MEANWHILE}",
    )


def _path_taken(me: Claimant, place: Place, holder: Claimant, way: Way) -> NotAccepted:
    # A tenant learns no name of another namespace.
    same = holder.key.namespace == me.key.namespace
    who = f"the older workload {holder.key.name!r}" if same else "an older workload of another namespace"
    where = f"of the host {place.host!r}" if place.host else "of every host"
    ways = "" if place.host else ", or a host of its own by spec.ingress.host or spec.gateway.hostnames"
    return NotAccepted(
        "PathTaken",
        f"spec.inferenceEndpoint: the path {me.asked.path!r} {where}, {way}, belongs to {who}"
        f"{_ADVICE}path{ways}. {_MEANWHILE}",
    )


def without_advice(message: str) -> str:
    """The message of PathTaken or HostTaken without what to do, and what holds meanwhile."""
    return message.rpartition(_ADVICE)[0] or message


_ADVICE = "; set another "
_MEANWHILE = (
    "Until then the workload is served inside the cluster, and what it exposed before stays as long as nobody else "
    "asks for it; what it asks for is its own as soon as the other one lets go"
)
