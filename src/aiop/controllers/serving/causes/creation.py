"""Containers that cannot be made as they were asked for, in the kubelet's words. No Secret is ever read for that."""

from aiop.controllers.serving.causes.cause import Case, Cause, advised, containers_of, kind_of, known_by
from aiop.controllers.serving.words import one_line
from aiop.runtime.views.workloads import ContainerStatus

_CONFIG = frozenset({"CreateContainerConfigError"})
_START = frozenset({"CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError"})
# How a container ended that was made and never ran.
_NEVER_RAN = frozenset({"StartError", "ContainerCannotRun"})
_WHERE = "in this namespace, or correct spec.env, spec.envFrom or spec.credentials"
_KINDS = (
    known_by("MissingSecret", r'secrets? "[^"]{1,253}" not found', f"create the Secret {_WHERE}"),
    known_by("MissingSecretKey", r"couldn't find key \S{1,253} in Secret ", f"add the key to the Secret {_WHERE}"),
    known_by("MissingConfigMap", r'configmaps? "[^"]{1,253}" not found', f"create the ConfigMap {_WHERE}"),
    known_by(
        "MissingConfigMapKey", r"couldn't find key \S{1,253} in ConfigMap ", f"add the key to the ConfigMap {_WHERE}"
    ),
    known_by(
        "ImageRunsAsRoot",
        r"runAsNonRoot",
        "use an image that runs as a numeric non-root user, or give its ServingRuntime a runAsUser",
    ),
    known_by(
        "ModelPathMissing",
        r"[Ss]ub[Pp]ath",
        "put the model at that path of the claim, or correct spec.modelUri, spec.modelName or spec.modelVersion",
    ),
)


def not_made(case: Case) -> Cause | None:
    """Containers that do not come to be: what they refer to is missing, or may not be."""
    found = case.waiting(_CONFIG.__contains__)
    if not found:
        return None
    container, words = found[0], _words(found[0])
    message = f"container {container.name!r} of {case.counted(len(found))} cannot be made: {words}"
    known = kind_of(words, _KINDS)
    return advised(known.reason, message, known.fix) if known else Cause("ContainerConfigError", message)


def not_started(case: Case) -> Cause | None:
    """Containers that were made and cannot begin: a command that is not there, a device that is missing."""
    found = [each for pod in case.pods for each in containers_of(pod) if not each.ready and _words_of_start(each)]
    if not found:
        return None
    return advised(
        "ContainerStartFailed",
        f"container {found[0].name!r} of {case.counted(len(found))} cannot be started: {_words_of_start(found[0])}",
        "check spec.command and the image",
    )


def _words(container: ContainerStatus) -> str:
    waiting = container.state.waiting
    return one_line(waiting.message or waiting.reason) if waiting is not None else ""


def _words_of_start(container: ContainerStatus) -> str:
    """Why it cannot be started; empty if it could."""
    if container.state.waiting is not None and container.state.waiting.reason in _START:
        return _words(container)
    if container.state.running is not None:
        return ""
    ended = container.state.terminated or container.last_state.terminated
    return one_line(ended.message or ended.reason) if ended is not None and ended.reason in _NEVER_RAN else ""
