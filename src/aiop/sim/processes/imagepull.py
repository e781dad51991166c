"""From an image's name to the program that stands for it; an image that nobody has fails as a pull does."""

from aiop.sim.cluster import podstatus
from aiop.sim.cluster.api import Object
from aiop.sim.processes.programs import Program
from aiop.sim.processes.room import Room

# Between the first failed pull and the first back-off.
_BEAT_SECONDS = 1.0
# A kubelet's back-off of pulls: ten seconds, doubled, five minutes at most.
_FIRST_SECONDS, _MOST_SECONDS = 10.0, 300.0


async def pulled(container: Object, room: Room) -> Program:
    """The program, as soon as the table has one; until then the container waits with the kubelet's reasons."""
    image, name = str(container["image"]), str(container["name"])
    seconds = _FIRST_SECONDS
    while (program := room.table.program_of(image)) is None:
        if container.get("imagePullPolicy") == "Never":
            words = f'Container image "{image}" is not present with pull policy of Never'
            room.board.put(name, state=podstatus.waiting("ErrImageNeverPull", words))
            await room.desk.say("ErrImageNeverPull", words, warning=True)
        else:
            await _fail(image, name, room)
        await room.desk.sleep(seconds)
        seconds = min(2 * seconds, _MOST_SECONDS)
    await room.desk.say("Pulled", f'Container image "{image}" already present on machine')
    return program


async def _fail(image: str, name: str, room: Room) -> None:
    failed = podstatus.pull_failed(image)
    await room.desk.say("Pulling", f'Pulling image "{image}"')
    room.board.put(name, state=podstatus.waiting("ErrImagePull", failed))
    await room.desk.say("Failed", f'Failed to pull image "{image}": {failed}', warning=True)
    await room.desk.say("Failed", "Error: ErrImagePull", warning=True)
    await room.desk.sleep(_BEAT_SECONDS)
    room.board.put(name, state=podstatus.waiting("ImagePullBackOff", podstatus.pull_back_off(image)))
    await room.desk.say("BackOff", f'Back-off pulling image "{image}"')
