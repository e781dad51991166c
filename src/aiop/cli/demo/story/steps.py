"""The steps, in order. Each does one thing to the cluster, waits until it is seen, and says what happened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiop.cli.demo.errors import StepFailed
from aiop.cli.demo.load import SENTENCES_A_REQUEST
from aiop.cli.demo.model.store import DAMAGED, FIRST, MODEL, NEXT
from aiop.cli.demo.pods import CORES_TO_ONE
from aiop.cli.demo.story.stage import Pod, Prediction, Stage

_PLAIN = "What a wonderful day"
# The first version knows single words, and "disappointed" is a bad one.
_SUBTLE = "I was not disappointed"
_FIRST_RATE = 10.0
_GROWTH = 1.6
# From here on a request that is lost would be seen in every step.
_ENOUGH_RATE = 40.0
# As much as a laptop bears beside all else.
_HIGHEST_RATE = 100.0
# Long enough for the autoscaler to see a new rate before the next one.
_RATE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a step says when it is done: a line, and more lines for who wants to know more."""

    line: str
    more: tuple[str, ...] = ()


Act = Callable[[Stage], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Step:
    """``title`` says what is about to happen."""

    title: str
    act: Act


async def _serve(stage: Stage) -> Told:
    await stage.until(stage.all_ready, "the samples are Ready")
    status = stage.status()
    line = f"All samples are Ready; {status.ready_replicas} servers serve {MODEL} {status.version}"
    if not stage.url:
        return Told(line)
    return Told(line, ("Each server is a process of this machine, with ONNX Runtime in it.",))


async def _predict(stage: Stage) -> Told:
    answer = await stage.ask(_PLAIN)
    return Told(
        f"Prediction: “{_PLAIN}” is {_in_words(answer)}",
        (
            f"answer: {answer.raw}",
            f"by {MODEL} {answer.version}, a stand-in for BERT: a small ONNX classifier of words, trained by this demo",
            f"""your own: curl {stage.url} -d '{{"text": "{_PLAIN}"}}'""",
        ),
    )


async def _rise(stage: Stage) -> Told:
    before, load = stage.status().ready_replicas, stage.load
    load.rate = _FIRST_RATE
    await stage.pause(_RATE_SECONDS)
    while load.rate < (_HIGHEST_RATE if stage.status().replicas <= before else _ENOUGH_RATE):
        load.rate = min(load.rate * _GROWTH, _HIGHEST_RATE)
        await stage.pause(_RATE_SECONDS)
    await stage.until(lambda: stage.status().ready_replicas > before, f"there are more than {before} servers ready")
    return Told(
        f"Load rose to {load.rate:.0f} requests a second: {before} → {stage.status().ready_replicas} servers",
        (
            f"each request has {SENTENCES_A_REQUEST} sentences; the workload's autoscaling aims at 75 % of its CPU",
            f"a CPU of these nodes is a hundredth of a core of yours, so {CORES_TO_ONE} of them are one",
        ),
    )


async def _roll(stage: Stage) -> Told:
    old = await stage.ask(_SUBTLE)
    since = _Count(stage)
    await stage.change_version(NEXT)
    await _until_served(stage, NEXT)
    new = await stage.ask(_SUBTLE)
    return Told(
        f"{NEXT} took {FIRST}'s place under load: {since}",
        (f"“{_SUBTLE}” was {_in_words(old)}; {NEXT}, which reads pairs of words too, says {_in_words(new)}",),
    )


async def _kill(stage: Stage) -> Told:
    await stage.until(lambda: any(pod.ready for pod in stage.pods()), "a server is ready")
    victim = next(pod for pod in stage.pods() if pod.ready)
    since = _Count(stage)
    await stage.kill(victim.name)
    await stage.until(lambda: _is_back(stage, victim), f"{victim.name} is back")
    return Told(f"{victim.name} was killed (kill -9) and is back; meanwhile {since}")


async def _break(stage: Stage) -> Told:
    since = _Count(stage)
    await stage.change_version(DAMAGED)
    await stage.until(lambda: bool(_complaint(stage)), f"{DAMAGED} is seen to crash")
    serving = await stage.ask(_PLAIN)
    if serving.version != NEXT:
        raise StepFailed(f"{serving.version} answers, and it should be {NEXT}")
    return Told(f"{DAMAGED} is damaged: {NEXT} goes on serving, {since}", (_complaint(stage),))


async def _repair(stage: Stage) -> Told:
    since = _Count(stage)
    await stage.change_version(NEXT)
    await _until_served(stage, NEXT)
    return Told(f"modelVersion is {NEXT} again: Ready, {since}")


async def _roll_without_load(stage: Stage) -> Told:
    await stage.change_version(NEXT)
    await _until_served(stage, NEXT)
    return Told(f"{NEXT} took {FIRST}'s place")


class _Count:
    """What the load has done since."""

    def __init__(self, stage: Stage) -> None:
        self._load = stage.load
        self._answered, self._failed = stage.load.answered, stage.load.failed

    def __str__(self) -> str:
        return f"{self._load.answered - self._answered} requests, {self._load.failed - self._failed} failed"


async def _until_served(stage: Stage, version: str) -> None:
    await stage.until(lambda: stage.status().ready and stage.status().version == version, f"{version} serves, Ready")


def _is_back(stage: Stage, victim: Pod) -> bool:
    return any(pod.name == victim.name and pod.ready and pod.restarts > victim.restarts for pod in stage.pods())


def _complaint(stage: Stage) -> str:
    """The condition that says what is wrong with a server that crashes; empty as long as none does."""
    return next(
        (f"{each.type}: {each.message}" for each in stage.status().conditions if each.reason == "CrashLoop"), ""
    )


def _in_words(answer: Prediction) -> str:
    return f"{answer.label} ({answer.score:.0%})"


_SERVE = Step("The samples become Ready", _serve)
# What each cluster can show.
ON_EMBEDDED = (
    _SERVE,
    Step("A sentence is sent to /api/v1/predict", _predict),
    Step("Load rises and replicas follow", _rise),
    Step(f"modelVersion changes to {NEXT} under load", _roll),
    Step("The process of one server is killed", _kill),
    Step(f"{DAMAGED}, whose file is damaged, is applied", _break),
    Step("modelVersion is set back", _repair),
)
ON_REAL = (_SERVE, Step(f"modelVersion changes to {NEXT}", _roll_without_load))
ON_CURRENT = (_SERVE,)
