"""What the embedded cluster's pods are: those of Triton's image are model servers of ours, the others are played."""

import random as random_module
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.outcomes import scripted
from aiop.sim.cluster.podlife import ScriptedLives
from aiop.sim.processes import ProcessPods, Program, ProgramTable
from aiop.sim.processes.podaccess import Usage

# The samples' claim, which the operator's --model-store pvc://… names too.
MODEL_CLAIM = "models"
_TRITON = "*/tritonserver:*"
_PACKAGES = Path(__file__).parents[3]
# The nodes claim 96 cores, and they are played by a laptop of a few.
CORES_TO_ONE = 100


class SmallCores(ProcessPods):
    """Pods as processes whose cores are small: a hundred of them are one core of this machine.

    So 75 % of two cores, what the sample's autoscaler aims at, is little enough that no laptop has to run hot.
    """

    async def usage(self, pod: ObjectKey) -> Mapping[str, Usage]:
        """See PodAccess; CPU seconds are those of small cores."""
        used = await super().usage(pod)
        return {name: replace(each, cpu_seconds=each.cpu_seconds * CORES_TO_ONE) for name, each in used.items()}


def pods(folder: Path, store: Path, random: random_module.Random) -> SmallCores:
    """The pods' files are under ``folder``, the models in ``store``."""
    table = ProgramTable({_TRITON: _model_server()}, claims={MODEL_CLAIM: store})
    return SmallCores(table, folder, random, fallback=ScriptedLives(scripted, random))


def _model_server() -> Program:
    launcher = (
        *(sys.executable, "-m", "aiop.cli.demo.modelserver"),
        "--model-folder=$(AIOP_MODEL_PATH)",
        "--model-name=$(AIOP_MODEL_ID)",
        "--http-address=$(AIOP_POD_IP)",
        "--pid-file=$(HOME)/server.pid",
    )
    return Program(launcher=launcher, environment={"PYTHONPATH": str(_PACKAGES), "PYTHONUNBUFFERED": "1"})
