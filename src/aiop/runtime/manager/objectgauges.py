"""Gauges about the objects of a cache, in Prometheus' text format, for a process that leads.

They are read at a scrape, and an object's lines are written anew only if it changed since the scrape before: an object
that changes a hundred times between two scrapes is written once, and one that is gone has no lines. So a scrape of a
quiet cache is little more than the joining of texts.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import structlog

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.views.meta import ObjectView

V = TypeVar("V", bound=ObjectView)

log = structlog.get_logger(__name__)

# Objects that are written between two breaths of the event loop: about two milliseconds.
_BREATH = 25
# The longest name that Kubernetes has. What an object says may be longer, and every line repeats it.
_LABEL_CHARACTERS = 253


# A gauge is found by what it is: the hash of its texts, for each line anew, would cost more than the line.
@dataclass(frozen=True, slots=True, eq=False)
class ObjectGauge:
    """One gauge of every object: its labels are ``namespace`` and ``name``, and after them ``labels``."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a gauge: ``labels`` has the values of the gauge's own labels, any text at all."""

    gauge: ObjectGauge
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written(Generic[V]):
    """The lines of one object, by gauge."""

    view: V
    lines: tuple[bytes, ...]


class ObjectGauges(Generic[V]):
    """The gauges of ``objects``; ``samples`` says what an object's are, each gauge with each set of labels once.

    An object whose ``samples`` raises has no lines, which is logged, and hides no other.
    """

    def __init__(
        self,
        gauges: Sequence[ObjectGauge],
        objects: Callable[[], Iterable[V]],
        samples: Callable[[V], Iterable[Sample]],
    ) -> None:
        self.gauges = tuple(gauges)
        self._objects = objects
        self._samples = samples
        self._written: dict[ObjectKey, _Written[V]] = {}

    async def exposition(self) -> bytes:
        """The lines of all objects that there are now; nothing of them is left once they are gone."""
        current: dict[ObjectKey, _Written[V]] = {}
        rewritten = 0
        for view in self._objects():
            key = ObjectKey(view.metadata.namespace, view.metadata.name)
            known = self._written.get(key)
            if known is None or known.view is not view:
                known = _Written(view, self._lines(view))
                rewritten += 1
                if not rewritten % _BREATH:
                    await asyncio.sleep(0)
            current[key] = known
        self._written = current
        return b"".join(self._families(current))

    def forget(self) -> None:
        """Keep nothing until the next exposition."""
        self._written = {}

    def _families(self, current: dict[ObjectKey, _Written[V]]) -> Iterable[bytes]:
        for number, gauge in enumerate(self.gauges):
            yield f"# HELP {gauge.name} {gauge.documentation}\n# TYPE {gauge.name} gauge\n".encode()
            yield from (written.lines[number] for written in current.values())

    def _lines(self, view: V) -> tuple[bytes, ...]:
        lines: dict[ObjectGauge, list[str]] = {gauge: [] for gauge in self.gauges}
        try:
            about = f'namespace="{_escaped(view.metadata.namespace)}",name="{_escaped(view.metadata.name)}"'
            for sample in self._samples(view):
                pairs = zip(sample.gauge.labels, sample.labels, strict=True)
                more = "".join(f',{label}="{_escaped(value)}"' for label, value in pairs)
                lines[sample.gauge].append(f"{sample.gauge.name}{{{about}{more}}} {float(sample.value)!r}\n")
        except Exception:  # what an object says may not hide the others
            log.exception("no metrics of an object", object=f"{view.metadata.namespace}/{view.metadata.name}")
            return (b"",) * len(self.gauges)
        return tuple("".join(each).encode(errors="replace") for each in lines.values())


def _escaped(text: str) -> str:
    return text[:_LABEL_CHARACTERS].replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
