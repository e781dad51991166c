"""What a container has done after its start and before its end: postStart and preStop."""

import aiohttp

from aiop.sim.cluster.api import Object
from aiop.sim.processes.errors import CommandNotStarted, PortNotFound
from aiop.sim.processes.execution import execute
from aiop.sim.processes.podaccess import Streams
from aiop.sim.processes.present import Run
from aiop.sim.processes.timing import Sleep, TooLate, within

# A kubelet waits for as long as its HTTP client does; a server that says nothing for a minute says nothing.
_HTTP_SECONDS = 60.0


async def run(hook: Object, run: Run, sleep: Sleep) -> bool:
    """Carry it out; False if it failed. An HTTP answer counts whatever its status, as with kubelets."""
    try:
        if "exec" in hook:
            command = run.recipe.local(hook["exec"].get("command") or [])
            return await execute(command, run.recipe.setting, Streams()) == 0
        if "httpGet" in hook:
            await run.prober.get(hook["httpGet"], _HTTP_SECONDS)
        elif "sleep" in hook:
            await sleep(float(hook["sleep"]["seconds"]))
    except (CommandNotStarted, PortNotFound, aiohttp.ClientError, OSError, TooLate):
        return False
    return True


async def run_in_time(hook: Object, of: Run, sleep: Sleep, seconds: float) -> bool:
    """The same, for as long as the grace lasts; one that is cut short has failed."""
    try:
        return await within(seconds, sleep, run(hook, of, sleep))
    except TooLate:
        return False
