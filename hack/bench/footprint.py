"""What the operator's pod uses on a real node: while nothing happens, and under fifty changes a minute."""

import time
from contextlib import AbstractContextManager, nullcontext

from hack.bench.figures import Figure, scaled
from hack.bench.node import NodeBench, Team, released_node
from hack.bench.usage import Usage, usage
from support.changing import changes
from support.replicas import SYSTEM, pod_of
from support.workloads import wait_for, workload

_MINUTE, _MIB = 60.0, 1024 * 1024
_CHANGES_A_MINUTE = 50
_WORKLOADS = 10
# After a change: its pass, its status and what they cause are over, and the start is forgotten.
_SETTLING_SECONDS = 10.0


def measure_footprint(scale: float) -> list[Figure]:
    """The leader's pod; at a smaller scale for so much less than a minute."""
    bench = released_node()
    seconds = scaled(round(_MINUTE), scale)
    with bench.team("bench-footprint") as team:
        for number in range(_WORKLOADS):
            name = f"quiet-{number}"
            team.kubectl.apply(
                workload(name, replicas=0, modelUri="pvc://models/light/v1", inferenceEndpoint=f"/{name}")
            )
            wait_for(team.kubectl, "Accepted", "True", name=name)
        time.sleep(_SETTLING_SECONDS)
        idle = _used(bench, seconds, nullcontext())
        busy = _used(bench, seconds, _changes(team))
    return [*figures_of("idle", *idle), *figures_of(f"under {_CHANGES_A_MINUTE} changes a minute", *busy)]


def figures_of(when: str, before: Usage, after: Usage, seconds: float) -> list[Figure]:
    """What was used between two readings that lie so many seconds apart."""
    a_minute = (after.cpu - before.cpu) / seconds * _MINUTE
    how = f"the leader's pod on the real node, by its cgroup; {_WORKLOADS} AIWorkloads, {seconds:.0f} s"
    return [
        Figure(f"the operator's pod {when}: processor time", a_minute, "s a minute", how),
        Figure("… memory", after.memory / _MIB, "MiB", "its working set at the end of that time"),
    ]


def _used(bench: NodeBench, seconds: float, load: AbstractContextManager[object]) -> tuple[Usage, Usage, float]:
    groups = bench.node.pod_cgroups(SYSTEM, pod_of(bench.settle()))
    with load:
        began, before = time.monotonic(), usage(groups)
        time.sleep(seconds)
        return before, usage(groups), time.monotonic() - began


def _changes(team: Team) -> AbstractContextManager[object]:
    every = _MINUTE / _CHANGES_A_MINUTE
    return changes(team.node.kubeconfig, team.kubectl.namespace, "quiet-0", every=every)
