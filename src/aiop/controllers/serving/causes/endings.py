"""Containers that end though they should serve: out of memory, killed by a probe, crashed."""

from datetime import timedelta

from aiop.controllers.serving.causes.cause import Case, Cause, containers_of
from aiop.controllers.serving.causes.modelfiles import FETCHERS, fetch_failed
from aiop.controllers.serving.words import one_line
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import ContainerStatus, Terminated

# SIGKILL and SIGTERM, as a shell counts them.
_KILLED = frozenset({137, 143})
# A container that has run for so long since is blamed for what it does now, not for how it once ended.
_FORGIVEN = timedelta(seconds=60)


def ended(case: Case) -> Cause | None:
    """The container that was restarted most, if any has ended and is not ready again."""
    found = [
        (container, how)
        for pod in case.pods
        for container in containers_of(pod)
        if (how := how_ended(container)) is not None and not _forgiven(case, container)
    ]
    if not found:
        return None
    container, how = max(found, key=lambda each: each[0].restart_count)
    head = f"container {container.name!r} of {case.counted(len(found))}"
    tail = f"it was {restarted(container)}, and {_next_step(container)}"
    if how.reason == "OOMKilled":
        return Cause("OutOfMemory", f"{head} used more memory than {_limit(case, container)}; {tail}")
    if container.name in FETCHERS:
        return fetch_failed(head, how, tail)
    probe = _killer(case, container, how)
    if probe:
        return Cause(
            "KilledByProbe",
            f"{head} was killed (exit code {how.exit_code}) without being out of memory, as the kubelet does when the "
            f"{probe} fails too often{_last_words(how)}; {tail}. If it only needs longer, raise the failureThreshold",
        )
    return Cause(
        "CrashLoop",
        f"{head} ended with exit code {how.exit_code} ({how.reason or 'no reason given'})"
        f"{_last_words(how) or _silence(how)}; {tail}",
    )


def forgiven_in(case: Case) -> float | None:
    """Seconds until what runs again is blamed for something else; None if that will not be by itself."""
    running = (
        each.state.running.started_at
        for pod in case.pods
        for each in pod.status.container_statuses
        if each.started and each.state.running is not None and how_ended(each) is not None
    )
    moments = (moment for text in running if (moment := moment_of(text)) is not None)
    waits = ((moment + _FORGIVEN - case.now).total_seconds() for moment in moments)
    return min((wait for wait in waits if wait > 0), default=None)


def restarted(container: ContainerStatus) -> str:
    """How often, as a part of a sentence: "not restarted yet", "restarted once", "restarted 3 times"."""
    known = {0: "not restarted yet", 1: "restarted once"}
    return known.get(container.restart_count, f"restarted {container.restart_count} times")


def how_ended(container: ContainerStatus) -> Terminated | None:
    """How the container's last run ended, if it is not ready again and that was no success of an initial one."""
    if container.ready:
        return None
    now, before = container.state.terminated, container.last_state.terminated
    how = now or before
    # A server that ends is never right; one that only brings the model is meant to, and may have to again.
    fine = how is not None and not how.exit_code and (now is not None or container.name in FETCHERS)
    return None if fine else how


def _forgiven(case: Case, container: ContainerStatus) -> bool:
    since = moment_of(container.state.running.started_at) if container.state.running is not None else None
    return container.started and since is not None and case.now - since >= _FORGIVEN


def _limit(case: Case, container: ContainerStatus) -> str:
    limit = case.template.container(container.name).resources.limits.get("memory")
    allowed = f"its limit of {limit}" if limit is not None else "its node has"
    if container.name in FETCHERS:
        return (
            f"{allowed}: raise it in the chart's models.fetcher.resources or, if unset, in spec.resources.limits.memory"
        )
    return f"{allowed}: raise spec.resources.limits.memory"


def _killer(case: Case, container: ContainerStatus, how: Terminated) -> str:
    """The probe that may have had it killed; empty if none can have."""
    if how.exit_code not in _KILLED:
        return ""
    template = case.template.container(container.name)
    starting = template.startup_probe is not None and not container.started
    probes = {"startup probe": starting, "liveness probe": template.liveness_probe is not None and not starting}
    return next((name for name, there in probes.items() if there), "")


def _last_words(how: Terminated) -> str:
    words = one_line(how.message)
    return f": {words}" if words else ""


def _silence(how: Terminated) -> str:
    """MLServer ends so when it cannot load its model; the kubelet keeps the end of the log only of one that fails."""
    if how.exit_code:
        return ""
    return " though a server goes on until it is told to end; only its log (`kubectl logs --previous`) says why"


def _next_step(container: ContainerStatus) -> str:
    runs = container.state.waiting is None and container.state.terminated is None
    return "it runs again and is not ready yet" if runs else "the kubelet restarts it after growing pauses"
