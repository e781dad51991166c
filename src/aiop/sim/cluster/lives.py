"""What kubelets and the lives of their pods are to each other: a life may be a script, or processes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiop.sim.cluster.api import ClusterAPI, Object


class Say(Protocol):
    """Writes an event about the pod."""

    def __call__(self, reason: str, message: str, *, warning: bool = False) -> Awaitable[None]:
        """Say it; an event that cannot be written is lost."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What a kubelet gives a pod's life to work with.

    ``write`` writes the pod's status and returns the pod as it then is; a server that is away is waited for, and what
    it refuses is raised as an ApiError. ``moment`` is now, as the API writes it; ``monotonic`` and ``sleep`` are the
    clock's.
    """

    api: ClusterAPI
    moment: Callable[[], str]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    write: Callable[[Object], Awaitable[Object]]
    say: Say


class Life(Protocol):
    """One pod's life on its node.

    ``live`` is the way up, ``end`` the way down. ``end`` may come at any moment, once ``live`` is cancelled.
    """

    async def live(self) -> None:
        """From the binding until nothing more happens by itself."""
        ...

    def notice(self, pod: Object) -> None:
        """The pod has changed, by whatever hand."""
        ...

    def contradicted_by(self, pod: Object) -> bool:
        """True if the pod's status, as somebody else has written it, is wrong; asked once ``live`` is over."""
        ...

    async def restate(self, pod: Object) -> None:
        """Say again how the pod is."""
        ...

    async def end(self, pod: Object, grace_seconds: float) -> None:
        """Stop every container of ``pod``, as it is now, and say how they ended."""
        ...

    async def close(self) -> None:
        """Let go of everything at once, without a word: the pod is gone, or the node is."""
        ...


class Lives(Protocol):
    """Where the lives come from."""

    def begin(self, pod: Object, desk: Desk) -> Life:
        """A life for a pod that is bound to one of our nodes; nothing happens yet."""
        ...

    async def close(self) -> None:
        """Let go of what the lives shared; all of them are closed."""
        ...
