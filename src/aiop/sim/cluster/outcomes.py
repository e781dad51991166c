"""What becomes of a pod: an immutable script, chosen by a function of the pod.

``scripted`` is the usual choice: words in the images' names, then annotations that say it outright.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.modelfetch import fetch_failure
from aiop.sim.cluster.objects import annotations_of, containers_of, init_containers_of


class Ending(StrEnum):
    """How a pod's life goes."""

    SERVES = "serves"
    NEVER_READY = "never-ready"
    IMAGE_MISSING = "image-missing"
    CRASHES = "crashes"
    CONFIG_ERROR = "config-error"
    COMPLETES = "completes"
    EVICTED = "evicted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Times are seconds: until the containers run, until they are ready (or end), and that a stop takes.

    ``container`` names the one that it happens to, an init container too; empty: the first. ``exit_code``, ``reason``
    (empty: as the exit code says) and ``message`` are what a container that ends leaves behind.
    """

    ending: Ending = Ending.SERVES
    start_seconds: float = 0.3
    ready_seconds: float = 0.3
    stop_seconds: float = 0.2
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    container: str = ""


Script = Callable[[Object], Outcome]

SERVES = Outcome()
ANNOTATION = "simulation.geartickler.com"
# A day: nobody watches longer, and a larger number in an annotation must not overflow a timer.
_LONGEST_SECONDS = 86400.0
_HIGHEST_EXIT_CODE = 255
_BY_WORD = {
    "no-such-image": Outcome(Ending.IMAGE_MISSING),
    "wants-login": Outcome(
        Ending.IMAGE_MISSING,
        message="pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
    ),
    "crashes": Outcome(Ending.CRASHES, exit_code=1, message="panic: the model file is damaged"),
    "out-of-memory": Outcome(Ending.CRASHES, exit_code=137, reason="OOMKilled"),
    "no-such-command": Outcome(
        Ending.CRASHES,
        exit_code=128,
        reason="StartError",
        message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        'failed: unable to start container process: exec: "serve": executable file not found in $PATH',
    ),
    "never-ready": Outcome(Ending.NEVER_READY),
    "runs-as-root": Outcome(Ending.CONFIG_ERROR),
    "lacks-secret": Outcome(Ending.CONFIG_ERROR, message='secret "keys" not found'),
    "lacks-key": Outcome(Ending.CONFIG_ERROR, message="couldn't find key token in Secret team/keys"),
    "lacks-settings": Outcome(Ending.CONFIG_ERROR, message='configmap "settings" not found'),
    "lacks-path": Outcome(
        Ending.CONFIG_ERROR, message='failed to create subPath directory for volumeMount "model" of container "server"'
    ),
    "gets-evicted": Outcome(Ending.EVICTED),
    "starts-slowly": Outcome(start_seconds=5.0, ready_seconds=5.0),
}


def scripted(pod: Object) -> Outcome:
    """What the images say, unless an annotation says otherwise."""
    return by_annotations(pod, by_image(pod))


def by_image(pod: Object) -> Outcome:
    """A word in an image's name decides; a pod that does not restart completes; any other serves.

    ``runs-as-root`` is a fault only where the pod refuses root without naming another user, as in real life. Of a pod
    that fetches a model the words of its URI decide too.
    """
    for container in [*init_containers_of(pod), *containers_of(pod)]:
        for word, outcome in _BY_WORD.items():
            if word in str(container.get("image", "")) and _applies(outcome, pod, container):
                return replace(outcome, container=container["name"])
    for container in init_containers_of(pod):
        failure = fetch_failure(container)
        if failure is not None:
            return Outcome(Ending.CRASHES, ready_seconds=0.3, exit_code=1, message=failure, container=container["name"])
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        return Outcome(Ending.COMPLETES)
    return SERVES


def by_annotations(pod: Object, otherwise: Outcome) -> Outcome:
    """``otherwise`` with what the pod's annotations ``simulation.geartickler.com/…`` change.

    outcome (an Ending), start-seconds, ready-seconds, stop-seconds, exit-code, reason, message, container. A value
    that makes no sense changes nothing.
    """
    said = {
        name.partition("/")[2]: value
        for name, value in annotations_of(pod).items()
        if name.startswith(f"{ANNOTATION}/")
    }
    outcome = otherwise
    if said.get("outcome") in set(Ending):
        outcome = replace(outcome, ending=Ending(said["outcome"]))
    if re.fullmatch(r"[0-9]{1,3}", said.get("exit-code", "")):
        outcome = replace(outcome, exit_code=min(int(said["exit-code"]), _HIGHEST_EXIT_CODE))
    times = dict(_times(said))
    words = {name: said[name] for name in ("reason", "message", "container") if name in said}
    return replace(outcome, **times, **words)  # type: ignore[arg-type]  # names and types belong together above


def _times(said: dict[str, str]) -> Iterator[tuple[str, float]]:
    for name in ("start", "ready", "stop"):
        try:
            seconds = float(said[f"{name}-seconds"])
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            yield f"{name}_seconds", min(max(seconds, 0.0), _LONGEST_SECONDS)


def _applies(outcome: Outcome, pod: Object, container: Object) -> bool:
    if outcome.ending is not Ending.CONFIG_ERROR or outcome.message:
        return True
    context = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    return bool(context.get("runAsNonRoot")) and not context.get("runAsUser")
