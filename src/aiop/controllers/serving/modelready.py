"""The condition ModelReady: whether the servers have the model's files, and how far they are with them. Pure.

Nothing here counts seconds: since when something lasts stands in the message, so that time alone writes no status.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiop.controllers.serving.causes.cause import Case, Cause
from aiop.controllers.serving.causes.endings import how_ended, restarted
from aiop.controllers.serving.causes.modelfiles import fetch_failed, word_of
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.runtime.conditions.condition import Condition, condition
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import ContainerStatus, Pod

_KIND = "ModelReady"
# What keeps the files away, where a claim is mounted.
_OF_CLAIMS = frozenset({"MissingClaim", "ClaimTerminating", "ClaimNotBound", "ModelPathMissing"})


def model_ready(case: Case, uri: str, cause: Cause | None) -> Condition:
    """For the pods of one revision; ``uri`` is where its model lies, ``cause`` why not all of its pods are ready."""
    if any(each.name == FETCH for each in case.template.init_containers):
        return _fetched(case, uri, cause)
    if case.template.claim():
        return _mounted(case, uri, cause)
    return condition(_KIND, True, "ModelByName", f"the server gets {uri} by itself, and is not ready without it")


def no_model(refusal: NotAccepted | None) -> Condition:
    """Where there is no revision at all, for its spec was refused."""
    reason, message = (
        (refusal.reason, refusal.message) if refusal is not None else ("ModelWaiting", "not looked at yet")
    )
    return condition(_KIND, False, reason, message)


def _mounted(case: Case, uri: str, cause: Cause | None) -> Condition:
    if cause is not None and cause.reason in _OF_CLAIMS:
        return condition(_KIND, False, cause.reason, cause.message)
    if any(_has_volumes(pod) for pod in case.pods):
        return condition(_KIND, True, "ModelMounted", f"{uri} is mounted, read-only")
    return _not_begun(case, cause)


def _has_volumes(pod: Pod) -> bool:
    """Volumes are mounted before anything else happens in a pod."""
    set_up = pod.condition("PodReadyToStartContainers")
    run = any(each.state.waiting is None for each in pod.status.container_statuses)
    return run or (set_up is not None and set_up.status == "True")


def _not_begun(case: Case, cause: Cause | None) -> Condition:
    if not case.desired:
        return condition(_KIND, False, "ScaledToZero", "no server is wanted, so none has the model")
    return condition(_KIND, False, "ModelWaiting", cause.message if cause is not None else "no server has started yet")


@dataclass(frozen=True, slots=True)
class _Fetch:
    """How far one pod is."""

    measured: ContainerStatus
    fetched: ContainerStatus

    @property
    def failed(self) -> ContainerStatus | None:
        """The container that failed last and has not succeeded since."""
        return next((each for each in (self.measured, self.fetched) if how_ended(each) is not None), None)

    @property
    def done(self) -> bool:
        """True once the files are there."""
        ended = self.fetched.state.terminated
        return ended is not None and not ended.exit_code


def _fetched(case: Case, uri: str, cause: Cause | None) -> Condition:
    fetches = [_fetch_of(pod) for pod in case.pods]
    return (
        _failed(case, fetches)
        or _done(case, fetches)
        or _fetching(case, fetches, uri)
        or _measuring(fetches, uri)
        or _not_begun(case, cause)
    )


def _fetch_of(pod: Pod) -> _Fetch:
    known = {each.name: each for each in pod.status.init_container_statuses}
    return _Fetch(known.get(MEASURE, ContainerStatus()), known.get(FETCH, ContainerStatus()))


def _failed(case: Case, fetches: Sequence[_Fetch]) -> Condition | None:
    failed = [each for fetch in fetches if (each := fetch.failed) is not None]
    if not failed:
        return None
    worst = max(failed, key=lambda each: each.restart_count)
    how = how_ended(worst)
    if how is None:
        return None
    head = f"container {worst.name!r} of {case.counted(len(failed))}"
    tail = f"it was {restarted(worst)} and is tried again"
    if how.reason == "OOMKilled":
        return condition(_KIND, False, "OutOfMemory", f"{head} used more memory than it may; {tail}")
    why = fetch_failed(head, how, tail)
    return condition(_KIND, False, why.reason, why.message)


def _done(case: Case, fetches: Sequence[_Fetch]) -> Condition | None:
    done = [each for each in fetches if each.done]
    if not done:
        return None
    word = word_of(done[0].fetched.state.terminated)
    took = f", fetched in {word.seconds:.0f} s" if word.size else "the model was fetched"
    on_the_way = len(fetches) - len(done)
    others = f"; {on_the_way} more of {case.desired} servers are on their way to it" if on_the_way else ""
    return condition(_KIND, True, "ModelFetched", f"{word.size}{took}{others}")


def _fetching(case: Case, fetches: Sequence[_Fetch], uri: str) -> Condition | None:
    running = [each for each in fetches if each.fetched.state.running is not None]
    if not running:
        return None
    size = next((size for each in running if (size := word_of(each.measured.state.terminated).size)), uri)
    words = f"fetching {size}{_begun([each.fetched for each in running])}"
    return condition(_KIND, False, "ModelFetching", f"{words}, for {len(running)} of {case.desired} servers")


def _measuring(fetches: Sequence[_Fetch], uri: str) -> Condition | None:
    begun = [each for each in fetches if each.measured.state.running or each.measured.state.terminated]
    if not begun:
        return None
    return condition(_KIND, False, "ModelMeasuring", f"looking at {uri}{_begun([each.measured for each in begun])}")


def _begun(containers: Sequence[ContainerStatus]) -> str:
    moments = [
        moment
        for each in containers
        if each.state.running is not None and (moment := moment_of(each.state.running.started_at)) is not None
    ]
    return f", begun {min(moments):%H:%M:%SZ}" if moments else ""
