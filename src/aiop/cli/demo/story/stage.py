"""What the steps of the story see and may do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiop.cli.demo.status import Status


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of a sentence; ``raw`` is the answer as it came."""

    version: str
    label: str
    score: float
    raw: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A server of the workload."""

    name: str
    ready: bool
    restarts: int


class Traffic(Protocol):
    """The load, see `Load`."""

    rate: float

    @property
    def answered(self) -> int:
        """Right answers so far."""
        ...

    @property
    def failed(self) -> int:
        """Failed requests so far."""
        ...

    @property
    def first_failure(self) -> str:
        """What came instead of the first answer that was not right."""
        ...


class Stage(Protocol):
    """The cluster, as the story plays on it."""

    @property
    def load(self) -> Traffic:
        """The load on the workload."""
        ...

    @property
    def url(self) -> str:
        """Where the workload answers from outside the cluster; empty where nothing does."""
        ...

    def status(self) -> Status:
        """The workload's newest status."""
        ...

    def all_ready(self) -> bool:
        """True once every sample is Ready."""
        ...

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for it; when time is up raises StepFailed, with ``what`` did not come and what the workload says."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def ask(self, sentence: str) -> Prediction:
        """One prediction, by way of ``url``; raises StepFailed for any other answer."""
        ...

    async def change_version(self, version: str) -> None:
        """Set `spec.modelVersion`."""
        ...

    def pods(self) -> list[Pod]:
        """The workload's servers, by name."""
        ...

    async def kill(self, pod: str) -> None:
        """End the server's process by SIGKILL; raises StepFailed if that cannot be done."""
        ...
