"""What the operator writes: from create to Ready, and while nothing happens. From a real API server's audit log."""

import time
from collections.abc import Sequence
from pathlib import Path

from hack.bench.audit import Write, in_words
from hack.bench.cluster import Bench, installed
from hack.bench.figures import Figure, scaled
from support.workloads import workload

_SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"
_WORKLOADS = 100
# A resync or a hot loop would write within this.
_QUIET_SECONDS = 30.0
SMALL = {"limits": {"cpu": "10m", "memory": "16Mi"}}


def measure_writes(_scale: float) -> list[Figure]:
    """Writes a workload from create to Ready, on a control plane of its own; one workload at any scale."""
    with installed() as bench, bench.operator("operator"):
        bench.kubectl.apply((_SAMPLES / "aiworkload-bert.yaml").read_text())
        bench.kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
        found = list(bench.writes.done())
        bench.settle()
        return _until_ready(found, len(bench.writes.done()) - len(found))


def measure_quiet(scale: float) -> list[Figure]:
    """Writes while many workloads are quiet, on a control plane of its own."""
    with installed() as bench, bench.operator("operator") as operator:
        names = [f"quiet-{number:03d}" for number in range(scaled(_WORKLOADS, scale))]
        before = len(bench.writes.done())
        bench.create([workload(name, resources=SMALL) for name in names])
        bench.wait_ready(len(names), operator)
        bench.settle()
        each = (len(bench.writes.done()) - before) / len(names)
        return [
            Figure(f"writes each, {len(names)} made at once", each, "writes", "no autoscaler, no Ingress"),
            *quiet_writes(bench, f"{len(names)} are quiet", _QUIET_SECONDS),
        ]


def quiet_writes(bench: Bench, while_: str, seconds: float) -> list[Figure]:
    """What is written in so many seconds."""
    before = len(bench.writes.read())
    time.sleep(seconds)
    meanwhile = bench.writes.read()[before:]
    aside = [write for write in meanwhile if write.aside]
    how = f"{seconds:.0f} s, audit log, refused ones too"
    return [
        Figure(f"writes while {while_}", len(meanwhile) - len(aside), "writes", how, goal=0),
        Figure("… and of leases, events and default runtimes", len(aside), "writes", in_words(aside) or "none"),
    ]


def _until_ready(found: Sequence[Write], later: int) -> list[Figure]:
    status = sum(write.said == "patch aiworkloads/status" for write in found)
    children = sum(write.verb == "create" for write in found)
    how = "the BERT sample, audit log, without events and leases"
    return [
        Figure("writes from create to Ready", len(found), "writes", f"{how}: {in_words(found)}", goal=children + 3),
        Figure("… of which status writes", status, "writes", how, goal=3),
        Figure("writes after that", later, "writes", "what the autoscaler says of itself goes into the status"),
    ]
