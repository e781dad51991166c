"""What a cause is, and what one is looked for in."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiop.controllers.serving.causes.template import Template
from aiop.runtime.views.workloads import ContainerStatus, Pod, ReplicaSet


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason of the list of reasons and the sentence that goes with it; ``fix`` is the advice that it ends with."""

    reason: str
    message: str
    fix: str = field(default="", compare=False)

    @property
    def told(self) -> str:
        """The sentence without the advice."""
        return self.message.removesuffix(f"; {self.fix}") if self.fix else self.message


def advised(reason: str, told: str, fix: str) -> Cause:
    """A cause whose sentence ends with advice."""
    return Cause(reason, f"{told}; {fix}", fix)


@dataclass(frozen=True, slots=True)
class Case:
    """A revision whose pods are not all ready: the live ones, those that were evicted, and what they are made from.

    ``desired`` is how many there should be, ``now`` the API server's time.
    """

    pods: Sequence[Pod]
    desired: int
    now: datetime
    replica_sets: Sequence[ReplicaSet] = ()
    evicted: Sequence[Pod] = ()
    template: Template = field(default_factory=Template)

    def counted(self, found: int) -> str:
        """So many of so many pods."""
        return f"{found} of {self.desired} pods"

    def waiting(self, matches: Callable[[str], bool]) -> list[ContainerStatus]:
        """The containers that wait for such a reason."""
        return [
            each
            for pod in self.pods
            for each in containers_of(pod)
            if each.state.waiting is not None and matches(each.state.waiting.reason)
        ]


@dataclass(frozen=True, slots=True)
class Kind:
    """A cause that is known by the words of the cluster: ``pattern`` finds them, ``fix`` says what to do about it."""

    reason: str
    pattern: "re.Pattern[str]"
    fix: str


def known_by(reason: str, pattern: str, fix: str) -> Kind:
    """A Kind whose pattern is compiled."""
    return Kind(reason, re.compile(pattern), fix)


def kind_of(words: str, kinds: Iterable[Kind]) -> Kind | None:
    """The first kind that the words belong to."""
    return next((each for each in kinds if each.pattern.search(words)), None)


def containers_of(pod: Pod) -> tuple[ContainerStatus, ...]:
    """The initial ones first, in order."""
    return (*pod.status.init_container_statuses, *pod.status.container_statuses)
