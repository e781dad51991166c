"""How long nobody leads: two operators, one lease, and the leader ends, in good order or by kill -9."""

import json
import os
import re
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hack.bench.cluster import installed
from hack.bench.figures import Figure, scaled
from hack.bench.observed import END_OF_FIRST
from support.kubectl import eventually
from support.operator import Operator
from support.workloads import workload

_OBJECTS = 10_000
# The slowest of so many counts: where a lease's end falls is chance.
_ROUNDS = 3
_PASSES = re.compile(r"^controller_runtime_reconcile_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)
# The leader of 10,000 objects drains for some seconds, and the other waits for the lease's end.
_TAKEOVER_SECONDS = 120.0


class _Observed(Operator):
    """The operator, which logs when its first pass has ended."""

    program = ("hack.bench.observed", "manager")


@dataclass(frozen=True, slots=True)
class _Takeover:
    """Seconds from the signal until the other leads, its controllers run, and its first and last pass have ended."""

    leads: float
    runs: float
    first_pass: float
    last_pass: float


def measure_failover(scale: float) -> list[Figure]:
    """On a control plane of its own. Its objects are AIWorkloads that no runtime serves: no children, no pods."""
    count = scaled(_OBJECTS, scale)
    takeovers: dict[signal.Signals, list[_Takeover]] = {signal.SIGTERM: [], signal.SIGKILL: []}
    with installed(nodes=()) as bench, ExitStack() as stack:
        leader = stack.enter_context(bench.operator("operator-0", _Observed))
        bench.create([workload(f"bench-{number:05d}", framework="unserved") for number in range(count)])
        for number, how in enumerate((*takeovers,) * _ROUNDS, start=1):
            bench.settle()
            name = f"operator-{number}"
            standby = stack.enter_context(bench.operator(name, _Observed))
            takeovers[how].append(_taken_over(leader, standby, bench.log(name), how, count))
            leader = standby
    what = f"{count:,} cached AIWorkloads"
    return [
        _figure(f"failover with {what}, clean: to the first reconcile", takeovers[signal.SIGTERM], "SIGTERM", 1.0),
        _figure("… after kill -9", takeovers[signal.SIGKILL], "kill -9 (the chart's lease is of 15 s)", 16.0),
    ]


def _taken_over(leader: Operator, standby: Operator, log: Path, how: signal.Signals, count: int) -> _Takeover:
    began = time.time()
    os.kill(leader.pid, how)
    eventually(lambda: _logged(log, END_OF_FIRST), seconds=_TAKEOVER_SECONDS, told=standby.words)
    last = eventually(lambda: _passes(standby) >= count and time.time(), seconds=_TAKEOVER_SECONDS, told=standby.words)
    leader.stop()
    leads, runs, first = (_logged(log, event) for event in ("this process leads", "controllers run", END_OF_FIRST))
    return _Takeover(leads - began, runs - began, first - began, last - began)


def _passes(operator: Operator) -> float:
    return sum(float(count) for count in _PASSES.findall(operator.fetch(operator.metrics)))


def _logged(log: Path, event: str) -> float:
    """When that line was logged first, as a Unix time; 0 before."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if f'"{event}"' in line]
    return datetime.fromisoformat(lines[0]["timestamp"]).timestamp() if lines else 0.0


def _figure(name: str, takeovers: list[_Takeover], how: str, goal: float) -> Figure:
    slowest = max(takeovers, key=lambda each: each.first_pass)
    all_of_them = ", ".join(f"{each.first_pass:.2f}" for each in takeovers)
    words = (
        f"from {how} to the end of the standby's first pass, by its log; it leads after {slowest.leads:.2f} s, its "
        f"controllers run after {slowest.runs:.2f} s, and all objects have had a pass after {slowest.last_pass:.1f} s; "
        f"slowest of {all_of_them} s"
    )
    return Figure(name, slowest.first_pass, "s", words, goal=goal)
