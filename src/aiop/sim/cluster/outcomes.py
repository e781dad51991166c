"""What becomes of a pod: an immutable script, chosen by a function of the pod."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import containers_of


class Ending(StrEnum):
    """How a pod's life goes."""

    SERVES = "serves"
    NEVER_READY = "never-ready"
    IMAGE_MISSING = "image-missing"
    CRASHES = "crashes"
    CONFIG_ERROR = "config-error"
    COMPLETES = "completes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Times are seconds: until the containers run, until they are ready (or end), and that a stop takes."""

    ending: Ending = Ending.SERVES
    start_seconds: float = 0.3
    ready_seconds: float = 0.3
    stop_seconds: float = 0.2
    exit_code: int = 0
    message: str = ""


Script = Callable[[Object], Outcome]

SERVES = Outcome()
_BY_WORD = {
    "no-such-image": Outcome(Ending.IMAGE_MISSING),
    "crashes": Outcome(Ending.CRASHES, exit_code=1, message="panic: the model file is damaged"),
    "never-ready": Outcome(Ending.NEVER_READY),
    "runs-as-root": Outcome(
        Ending.CONFIG_ERROR,
        message="container has runAsNonRoot and image will run as root (pod: {pod}, container: {container})",
    ),
    "starts-slowly": Outcome(start_seconds=5.0, ready_seconds=5.0),
}


def by_image(pod: Object) -> Outcome:
    """A word in the image's name decides; a pod that does not restart completes; any other serves."""
    image = next((str(container.get("image", "")) for container in containers_of(pod)), "")
    for word, outcome in _BY_WORD.items():
        if word in image:
            return outcome
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        return Outcome(Ending.COMPLETES)
    return SERVES
