"""Which of several endpoints gets the next request: the one with the fewest under way, equals in turn."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from aiop.sim.network.endpoints import Endpoint


class Balancer:
    """Counts what is under way at each endpoint; holds nothing of endpoints at which nothing is."""

    def __init__(self) -> None:
        self._busy: Counter[Endpoint] = Counter()
        self._turn = 0

    def choose(self, usable: Collection[Endpoint], tried: Collection[Endpoint] = ()) -> Endpoint | None:
        """The least busy endpoint that was not tried; None if all were."""
        left = [each for each in usable if each not in tried]
        if not left:
            return None
        self._turn += 1
        start = self._turn % len(left)
        return min([*left[start:], *left[:start]], key=lambda each: self._busy[each])

    def busy(self, endpoint: Endpoint) -> int:
        """How many requests are under way there."""
        return self._busy[endpoint]

    @contextmanager
    def under_way(self, endpoint: Endpoint) -> Iterator[None]:
        """Count one more there for as long as the context lasts."""
        self._busy[endpoint] += 1
        try:
            yield
        finally:
            self._busy[endpoint] -= 1
            if not self._busy[endpoint]:
                del self._busy[endpoint]
