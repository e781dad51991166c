"""One run of a container, for as long as it lasts."""

from dataclasses import dataclass
from pathlib import Path

from aiop.sim.processes.probing import Prober
from aiop.sim.processes.recipe import Recipe
from aiop.sim.processes.supervised import Supervised


@dataclass(slots=True)
class Run:
    """What its hooks and probes need to know of it; ``stopping`` once somebody has told it to end."""

    process: Supervised
    recipe: Recipe
    prober: Prober
    log: Path
    began: float
    stopping: bool = False
