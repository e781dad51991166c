"""A stage for the demo's story without a cluster: what is done happens at once, unless it is told to misbehave."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiop.cli.demo.errors import StepFailed
from aiop.cli.demo.status import Condition, Status
from aiop.cli.demo.story.stage import Pod, Prediction

# More looks than any step needs.
_MOST_LOOKS = 100


@dataclass
class FakeTraffic:
    """Answers ten requests whenever somebody looks."""

    rate: float = 0.0
    failed: int = 0
    first_failure: str = ""
    _answered: int = 0

    @property
    def answered(self) -> int:
        self._answered += 10 if self.rate else 0
        return self._answered


@dataclass
class FakeStage:
    """``done`` is what the story did to it; the flags are how it misbehaves."""

    url: str = "http://127.0.0.1:1/api/v1/predict"
    load: FakeTraffic = field(default_factory=FakeTraffic)
    version: str = "v1.0.0"
    serving: str = "v1.0.0"
    replicas: int = 2
    restarts: int = 0
    done: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    # How many requests a second make the autoscaler act; the version that never becomes Ready; what answers at the end.
    scales_at: float = 30.0
    stuck: str = "v1.2.0"
    wrong_server: str = ""
    comes_back: bool = True

    def status(self) -> Status:
        ready = self.version == self.serving
        conditions = [
            Condition("Ready", "True" if ready else "False", "Serving" if ready else "CrashLoop", "exit code 1")
        ]
        return Status(self.serving, self.replicas, self.replicas, conditions=tuple(conditions))

    def all_ready(self) -> bool:
        return self.status().ready

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(_MOST_LOOKS):
            if holds():
                return
        raise StepFailed(f"not within 1 s: {what}")

    async def pause(self, seconds: float) -> None:
        assert seconds > 0
        self.rates.append(self.load.rate)
        if self.load.rate >= self.scales_at:
            self.replicas = 4

    async def ask(self, sentence: str) -> Prediction:
        self.done.append(f"ask {sentence}")
        version = self.wrong_server if self.wrong_server and self.version == self.stuck else self.serving
        label = "negative" if "not" in sentence and version == "v1.0.0" else "positive"
        return Prediction(version, label, 0.875, f'{{"label":"{label}"}}')

    async def change_version(self, version: str) -> None:
        self.done.append(f"version {version}")
        self.version = version
        if version != self.stuck:
            self.serving = version

    def pods(self) -> list[Pod]:
        return [Pod("a", False, 0), Pod("b", True, self.restarts), Pod("c", True, 0)]

    async def kill(self, pod: str) -> None:
        self.done.append(f"kill {pod}")
        self.restarts += 1 if self.comes_back else 0
