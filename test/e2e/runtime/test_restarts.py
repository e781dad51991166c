"""All servers restart under a running operator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.storms import OBJECTS, Sea, SmallOperator

pytestmark = pytest.mark.real

IDLE_SECONDS = 3.0
# An API server that has watchers takes its time to say farewell.
STOP_SECONDS = 1.0


@pytest.fixture
def operator(own_sea: Sea, tmp_path: Path) -> Iterator[SmallOperator]:
    with own_sea.operated(tmp_path / "operator", "--idle-seconds", str(IDLE_SECONDS)) as running:
        yield running


@pytest.mark.usefixtures("operator")
def test_all_servers_restart_in_the_middle_of_the_work(own_sea: Sea) -> None:
    own_sea.make_changes()
    own_sea.plane.stop(STOP_SECONDS)
    own_sea.plane.start()
    own_sea.serves()
    for number in range(OBJECTS):
        own_sea.make(f"later-{number}")
    own_sea.converges()
    own_sea.stays_quiet()
