"""All that workloads ask for outside, in order of age, so that a question costs what it concerns and no more."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from aiop.controllers.serving.exposure.asked import Asked
from aiop.controllers.serving.exposure.claims import Claimant, Place, places
from aiop.runtime.client.resource import ObjectKey

# Of a place by the way that is asked for, and of a host by namespace: everybody, the oldest first.
_Queues = dict[object, list[Claimant]]
_AGE = attrgetter("age")


class ClaimBook:
    """A `Ledger` that is kept up by ``put``; nothing is decided here."""

    def __init__(self) -> None:
        self._known: dict[ObjectKey, Claimant] = {}
        self._places: dict[Place, _Queues] = {}
        self._hosts: dict[str, _Queues] = {}
        self._tree = _HostTree()

    def put(self, key: ObjectKey, claimant: Claimant | None) -> None:
        """What the workload of that name asks for now; None if it asks for nothing, or is gone."""
        before = self._known.pop(key, None)
        if before is not None:
            self._take_out(before)
        if claimant is not None:
            self._known[key] = claimant
            self._put_in(claimant)

    def get(self, key: ObjectKey) -> Claimant | None:
        """What the workload of that name asks for."""
        return self._known.get(key)

    def claimants(self, place: Place) -> Sequence[Claimant]:
        """Of each way that is asked for, the oldest claimant of that place."""
        return [queue[0] for queue in self._places.get(place, {}).values()]

    def contested(self, host: str, namespace: str) -> Sequence[str]:
        """What ``host`` has in common with hosts that other namespaces than that one ask for."""
        met = [each for each in self._tree.meeting(host) if self._hosts[each].keys() - {namespace}]
        return list(dict.fromkeys(max(host, each, key=lambda name: len(_bare(name))) for each in met))

    def host_owner(self, host: str) -> Claimant | None:
        """The oldest claimant of a host that meets ``host``."""
        queues = (queue for each in self._tree.meeting(host) for queue in self._hosts[each].values())
        return min((queue[0] for queue in queues), key=_AGE, default=None)

    def concerned(self, claimant: Claimant) -> set[ObjectKey]:
        """Whose answer may change when ``claimant`` comes or goes, itself aside: those that it stands before."""
        found = {each.key for each in self._behind(claimant)} | {each.key for each in self._beside(claimant)}
        return found - {claimant.key}

    def _behind(self, claimant: Claimant) -> Iterator[Claimant]:
        """The younger ones at its places, where it is the oldest of its way."""
        for place in _places(claimant):
            queues = self._places.get(place, {})
            if not _stands_before(queues.get(_way(claimant.asked), ()), claimant):
                for queue in queues.values():
                    yield from queue[bisect_left(queue, claimant.age, key=_AGE) :]

    def _beside(self, claimant: Claimant) -> Iterator[Claimant]:
        """Those on its hosts, where several namespaces ask for them and it is the oldest of its own."""
        own = claimant.key.namespace
        for host in claimant.asked.hosts:
            if not _stands_before(self._hosts.get(host, {}).get(own, ()), claimant):
                met = [self._hosts[each] for each in self._tree.meeting(host)]
                if any(queues.keys() - {own} for queues in met):
                    yield from (each for queues in met for queue in queues.values() for each in queue)

    def _put_in(self, claimant: Claimant) -> None:
        for place in _places(claimant):
            _join(self._places.setdefault(place, {}), _way(claimant.asked), claimant)
        for host in claimant.asked.hosts:
            if host not in self._hosts:
                self._tree.add(host)
            _join(self._hosts.setdefault(host, {}), claimant.key.namespace, claimant)

    def _take_out(self, claimant: Claimant) -> None:
        for place in _places(claimant):
            if _leave(self._places[place], _way(claimant.asked), claimant):
                del self._places[place]
        for host in claimant.asked.hosts:
            if _leave(self._hosts[host], claimant.key.namespace, claimant):
                del self._hosts[host]
                self._tree.remove(host)


class _HostTree:
    """Hosts, found by those that they meet: equal ones, and one that a wildcard of the other covers, at any depth.

    An Ingress's wildcard covers one label and a Gateway's any number; a host counts as covered by both.
    """

    def __init__(self) -> None:
        self._hosts: set[str] = set()
        # By label from the right, so that what lies under a name stands together: ("example.a.x", "x.a.example").
        self._sorted: list[tuple[str, str]] = []

    def add(self, host: str) -> None:
        self._hosts.add(host)
        insort(self._sorted, (_reversed(host), host))

    def remove(self, host: str) -> None:
        self._hosts.discard(host)
        del self._sorted[bisect_left(self._sorted, (_reversed(host), host))]

    def meeting(self, host: str) -> Iterator[str]:
        if host in self._hosts:
            yield host
        yield from (wildcard for each in _parents(host) if (wildcard := f"*.{each}") in self._hosts)
        if host.startswith("*."):
            under = f"{_reversed(host)}."
            for number in range(bisect_left(self._sorted, (under, "")), len(self._sorted)):
                reversed_name, found = self._sorted[number]
                if not reversed_name.startswith(under):
                    break
                yield found


def _places(claimant: Claimant) -> list[Place]:
    return places(claimant.key.namespace, claimant.asked.hosts, claimant.asked.path)


def _way(asked: Asked) -> object:
    """Equal for those that take the same way under any settings."""
    return asked.by_ingress, asked.class_name, asked.gateway


def _bare(host: str) -> str:
    return host.removeprefix("*.")


def _reversed(host: str) -> str:
    return ".".join(reversed(_bare(host).split(".")))


def _parents(host: str) -> Iterable[str]:
    labels = _bare(host).split(".")
    return (".".join(labels[number:]) for number in range(1, len(labels)))


def _join(queues: _Queues, name: object, claimant: Claimant) -> None:
    insort(queues.setdefault(name, []), claimant, key=_AGE)


def _leave(queues: _Queues, name: object, claimant: Claimant) -> bool:
    """True if nobody is left."""
    queue = queues[name]
    del queue[bisect_left(queue, claimant.age, key=_AGE)]
    if not queue:
        del queues[name]
    return not queues


def _stands_before(queue: Sequence[Claimant], claimant: Claimant) -> bool:
    """True if somebody in ``queue`` is older than ``claimant``."""
    return bool(queue) and queue[0].age < claimant.age
