"""What the containers of one pod share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.lives import Desk
from aiop.sim.cluster.podstatus import HOST
from aiop.sim.processes.addresses import PodAddress
from aiop.sim.processes.board import Board
from aiop.sim.processes.programs import ProgramTable
from aiop.sim.processes.sources import Sources


@dataclass(slots=True)
class Room:
    """A pod's place on this machine: ``folder`` is its own, ``places`` are its volumes by name."""

    board: Board
    desk: Desk
    table: ProgramTable
    folder: Path
    address: PodAddress
    session: aiohttp.ClientSession
    log_bytes: int
    places: Mapping[str, Path]

    @property
    def pod(self) -> Object:
        """The pod as it was last seen."""
        return self.board.pod

    @property
    def sources(self) -> Sources:
        """What the pod's namespace has."""
        return Sources(self.desk.api, self.pod["metadata"]["namespace"])

    @property
    def addresses(self) -> dict[str, str]:
        """What a fieldRef may ask for."""
        return {"podIP": self.address.host, "hostIP": HOST}
