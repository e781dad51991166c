"""What the Deployments of a rollout carry, so that whoever goes on with it knows which way it takes."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"(?P<target>[0-9a-f]{1,64})/(?P<wanted>[0-9]{1,4})/(?P<way>in-place|held)")


@dataclass(frozen=True, slots=True)
class Mark:
    """On the Deployments of a rollout that gives way or holds an autoscaler: for whom, and how many in all."""

    target: str
    wanted: int
    gives_way: bool = False

    def __str__(self) -> str:
        return f"{self.target}/{self.wanted}/{'in-place' if self.gives_way else 'held'}"


def read_mark(text: str) -> Mark | None:
    """What an annotation says; None for what we would not have written."""
    found = _MARK.fullmatch(text)
    return Mark(found["target"], int(found["wanted"]), found["way"] == "in-place") if found else None
