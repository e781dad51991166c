"""All servers restart under a running operator; once with a backup, so that versions are lower and things undone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubectl import eventually
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


def test_an_operator_that_was_never_restarted_follows_the_restored_state(
    own_sea: Sea, operator: SmallOperator, tmp_path: Path
) -> None:
    plane = own_sea.plane
    for name in ("changed", "removed", "kept"):
        own_sea.make(name, "old")
    own_sea.converges()
    backup = tmp_path / "backup"
    plane.stop(STOP_SECONDS)
    shutil.copytree(plane.etcd_data, backup)
    plane.start()
    own_sea.serves()

    for number in range(OBJECTS):
        own_sea.make(f"lost-{number}")
    own_sea.change("changed", text="new")
    own_sea.change("removed", wanted=False)
    own_sea.converges()
    own_sea.remove("removed")

    plane.stop(STOP_SECONDS)
    shutil.rmtree(plane.etcd_data)
    shutil.copytree(backup, plane.etcd_data)
    plane.start()  # Kubernetes' own controllers, too, as an administrator would: they could not follow
    own_sea.serves()
    assert {storm["metadata"]["name"] for storm in own_sea.rest.items(own_sea.storms)} == {"changed", "removed", "kept"}
    eventually(lambda: operator.metric('informer_cached_objects{informer="storms"}') == 3)
    own_sea.change("kept", text="newer")
    own_sea.change("removed", wanted=False)
    own_sea.make("made")
    own_sea.converges()
    assert not operator.ended
