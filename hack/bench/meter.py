"""How much a process used for what it read; told as a line of JSON on stdout.

Standard library only, since kopf's reader has an environment of its own.
"""

import json
import os
import time
from dataclasses import asdict, dataclass

from hack.bench.machine import peak_bytes, resident_bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """``objects`` were read; ``peak`` is the most resident memory above what the process had before, in bytes."""

    objects: int
    cpu_seconds: float
    wall_seconds: float
    peak: int


class Meter:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._resident = resident_bytes(os.getpid())
        self._wall = time.monotonic()
        self._cpu = time.process_time()

    def read(self, objects: int) -> Reading:
        """What it took to read so many."""
        cpu, wall = time.process_time() - self._cpu, time.monotonic() - self._wall
        return Reading(objects, cpu, wall, peak_bytes(os.getpid()) - self._resident)


def tell(reading: Reading) -> None:
    """Say it to who started this process."""
    print(json.dumps(asdict(reading)), flush=True)


def understood(output: str) -> Reading:
    """What `tell` said."""
    return Reading(**json.loads(output.splitlines()[-1]))
