"""One container of a pod: started, probed, started again, stopped."""

import asyncio
import secrets
import signal
from pathlib import Path
from typing import Any

from aiop.sim.cluster import podstatus
from aiop.sim.cluster.api import Object
from aiop.sim.processes import hooks, imagepull
from aiop.sim.processes.errors import CommandNotStarted, ContainerNotMade
from aiop.sim.processes.lastwords import last_words
from aiop.sim.processes.mishaps import report, words_of
from aiop.sim.processes.present import Run
from aiop.sim.processes.probes import Probes
from aiop.sim.processes.probing import Prober
from aiop.sim.processes.programs import Program
from aiop.sim.processes.recipe import Recipe, recipe_of
from aiop.sim.processes.restarts import RestartPolicy
from aiop.sim.processes.room import Room
from aiop.sim.processes.supervised import Command, start
from aiop.sim.processes.timing import TooLate, cancelled, within

# A kubelet that cannot make a container tries again with its next look at the pod.
_RETRY_SECONDS = 10.0
# Between a first end and the restart that follows it.
_BEAT_SECONDS = 1.0
# However little of the grace is left, a container has this long between the signal and its end.
_LEAST_GRACE_SECONDS = 2.0
# What container runtimes answer for a command that is not there or may not be run.
_NOT_STARTED = 128
# The log of the run before the last is not kept, as with kubelets.
_KEPT_LOGS = 2


class Container:
    """``run`` keeps the container going as its restart policy says, and ends when it will not run again.

    ``stop`` ends the present run; ``leave`` says before that no other shall follow. ``kill`` ends it without ceremony.
    ``started`` is set while a run has begun and its startup probe, if there is one, has succeeded.
    """

    def __init__(self, spec: Object, room: Room, policy: RestartPolicy) -> None:
        self.spec = spec
        self.name = str(spec["name"])
        self.present: Run | None = None
        self.started = asyncio.Event()
        self._room = room
        self._policy = policy
        self._leaving = False
        self._stop_signal = int(signal.SIGTERM)
        # What the next run changes in the container's View.
        self._next: dict[str, Any] = {}

    @property
    def folder(self) -> Path:
        """The container's own folder."""
        return self._room.folder / "containers" / self.name

    def log_of(self, restarts: int) -> Path:
        """Where the run after that many restarts writes its log."""
        return self.folder / "logs" / f"{restarts}.log"

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return self._room.board.views[self.name].restarts

    def run_before(self) -> int:
        """The run that ``kubectl logs --previous`` means; negative if there is none.

        While a container waits for its restart that is the last one, as for kubelets.
        """
        view = self._room.board.views[self.name]
        return self.restarts - (0 if view.doing == "waiting" and view.last else 1)

    async def run(self) -> None:
        """Run until it will not run again. What nobody foresaw is told, and then it is tried again by back-off."""
        while True:
            try:
                await self._run_on()
            except Exception as error:  # noqa: BLE001 - whatever it is, neither the pod nor its user shall wait in vain
                if not await self._recovered(error):
                    return
            else:
                return

    async def _run_on(self) -> None:
        while True:
            program = await imagepull.pulled(self.spec, self._room)
            recipe = await self._made(program)
            await asyncio.to_thread(self._forget_old_logs)
            began = self._room.desk.monotonic()
            state = await self._run_once(program, recipe)
            restarts = not self._leaving and self._policy.restarts_after(state["exitCode"])
            self._room.board.put(self.name, state={"terminated": state}, ready=self._ready_after(state))
            if not restarts:
                return
            self._policy.ran_for(self._room.desk.monotonic() - began)
            await self._back_off()
            self._next = {"restarts": self.restarts + 1, "last": {"terminated": state}}

    async def _recovered(self, error: Exception) -> bool:
        """Say what has happened and wait; False if it shall not run again."""
        desk, board = self._room.desk, self._room.board
        report(error, f"container {self.name} of a pod")
        words = f"the cluster could not run it: {words_of(error)}"
        await desk.say("Failed", f"Error: {words}", warning=True)
        state = board.views[self.name].state
        if "running" in state:
            state = _lost(state["running"], words, desk.moment())
        if "terminated" in state:
            board.put(self.name, state=state, started=False, ready=False)
            if self._leaving or not self._policy.restarts_after(state["terminated"]["exitCode"]):
                return False
            self._next = {"restarts": self.restarts + 1, "last": state}
        last = {"last": state} if "terminated" in state else {}
        board.put(self.name, state=podstatus.waiting("RunContainerError", words), **last)
        seconds = max(_RETRY_SECONDS, self._policy.delay())
        self._policy.crashes += 1
        await desk.sleep(seconds)
        return True

    def leave(self) -> None:
        """No other run shall follow."""
        self._leaving = True

    async def stop(self, grace_seconds: float, words: str = "") -> None:
        """Hook, signal, and after the grace the end of everything it has started; returns when it is over."""
        run = self.present
        if run is None:
            return
        desk = self._room.desk
        until = desk.monotonic() + grace_seconds
        if not run.stopping:
            run.stopping = True
            await desk.say("Killing", words or f"Stopping container {self.name}")
            await self._prepare_stop(run, grace_seconds)
            run.process.signal(self._stop_signal)
        try:
            await within(max(_LEAST_GRACE_SECONDS, until - desk.monotonic()), desk.sleep, run.process.wait())
        except TooLate:
            run.process.kill()
            await run.process.wait()

    async def _prepare_stop(self, run: Run, grace_seconds: float) -> None:
        desk = self._room.desk
        hook = (self.spec.get("lifecycle") or {}).get("preStop")
        if hook and grace_seconds > 0 and not await hooks.run_in_time(hook, run, desk.sleep, grace_seconds):
            await desk.say("FailedPreStopHook", "PreStopHook failed", warning=True)

    async def kill(self) -> None:
        """End it now."""
        if self.present is not None:
            self.present.process.kill()
            await self.present.process.wait()

    def _ready_after(self, state: Object) -> bool:
        """An init container that has done its work is ready, whatever that means."""
        return self._policy.is_init and not self._policy.is_sidecar and state["exitCode"] == 0

    async def _made(self, program: Program) -> Recipe:
        desk, board = self._room.desk, self._room.board
        while True:
            try:
                recipe = await recipe_of(self.spec, program, self._room)
                self._stop_signal = _stop_signal(self.spec, program)
            except ContainerNotMade as error:
                words = str(error)
                board.put(self.name, state=podstatus.waiting("CreateContainerConfigError", words))
                await desk.say("Failed", f"Error: {words}", warning=True)
                await desk.sleep(_RETRY_SECONDS)
            else:
                return recipe

    async def _run_once(self, program: Program, recipe: Recipe) -> Object:
        """Run it to its end; returns what its status says of that."""
        desk, board = self._room.desk, self._room.board
        container_id = f"process://{secrets.token_hex(32)}"
        log = self.log_of(self._next.get("restarts", self.restarts))
        changes = {**self._next, "image_id": program.image_id, "container_id": container_id}
        setting = recipe.setting
        began = desk.moment()
        await desk.say("Created", f"Container created: {self.name}")
        try:
            process = await start(
                Command(recipe.arguments, setting.environment, setting.directory, log, self._room.log_bytes)
            )
        except CommandNotStarted as error:
            words = f"unable to start container process: {error}"
            board.put(self.name, **changes)
            await desk.say("Failed", f"Error: {words}", warning=True)
            return _ended(_NOT_STARTED, "StartError", words, began, desk.moment(), container_id)
        prober = Prober(self.spec, self._room.address.of, self._room.session, desk.sleep)
        self.present = Run(process, recipe, prober, log, desk.monotonic())
        needs_start = bool(self.spec.get("startupProbe"))
        board.put(self.name, state=podstatus.running(began), started=not needs_start, ready=False, **changes)
        try:
            code = await self._attended(self.present)
        finally:
            process.kill()
            await asyncio.shield(process.wait())
            self.present = None
            self.started.clear()
        words = await asyncio.to_thread(last_words, self.spec, code, recipe.termination_log, log)
        return _ended(code, "Error" if code else "Completed", words, began, desk.moment(), container_id)

    async def _attended(self, run: Run) -> int:
        if self._leaving:
            run.process.kill()  # told to go while it was being started
        await self._room.desk.say("Started", f"Container started: {self.name}")
        watching = asyncio.create_task(self._watch(run), name=f"probes of {self.name}")
        ending = asyncio.create_task(run.process.wait())
        try:
            await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()  # raises what nobody foresaw: a container that is not watched shall not go on
            return await ending
        finally:
            await cancelled(watching)
            await cancelled(ending)

    async def _watch(self, run: Run) -> None:
        """The hook after the start, then the probes for as long as it runs."""
        desk = self._room.desk
        hook = (self.spec.get("lifecycle") or {}).get("postStart")
        if hook and not await hooks.run(hook, run, desk.sleep):
            await desk.say("FailedPostStartHook", "PostStartHook failed", warning=True)
            await self.stop(self._grace(None), "FailedPostStartHook")
            return
        await Probes(self.spec, run, self._room, self.started, self._fail).run()

    async def _fail(self, kind: str, probe: Object) -> None:
        """A probe has had enough of it; one that goes anyway is left alone."""
        if self._leaving:
            return
        again = ", will be restarted" if self._policy.restarts_after(128 + signal.SIGKILL) else ""
        await self.stop(self._grace(probe), f"Container {self.name} failed {kind} probe{again}")

    def _grace(self, probe: Object | None) -> float:
        seconds = (probe or {}).get("terminationGracePeriodSeconds")
        if seconds is None:
            seconds = self._room.pod["spec"].get("terminationGracePeriodSeconds", 30)
        return float(seconds)

    async def _back_off(self) -> None:
        desk, board = self._room.desk, self._room.board
        ended = board.views[self.name].state
        seconds = self._policy.delay()
        if seconds:
            words = podstatus.crash_back_off(self._room.pod, self.name, self._policy.crashes)
            board.put(self.name, state=podstatus.waiting("CrashLoopBackOff", words), last=ended)
            full_name = podstatus.full_name(self._room.pod)
            await desk.say(
                "BackOff", f"Back-off restarting failed container {self.name} in pod {full_name}", warning=True
            )
        self._policy.crashes += 1
        await desk.sleep(seconds or _BEAT_SECONDS)

    def _forget_old_logs(self) -> None:
        coming = self._next.get("restarts", self.restarts)
        for number in range(max(0, coming - _KEPT_LOGS + 1)):
            for path in (self.log_of(number), Path(f"{self.log_of(number)}.1")):
                path.unlink(missing_ok=True)


def _lost(running: Object, words: str, moment: str) -> Object:
    """The end of a run that was not seen through."""
    said = {"exitCode": 128 + signal.SIGKILL, "reason": "ContainerStatusUnknown", "message": words}
    return {"terminated": said | {"startedAt": running["startedAt"], "finishedAt": moment}}


def _stop_signal(spec: Object, program: Program) -> int:
    """What the container chooses, else its image; raises ContainerNotMade for one that this system does not have."""
    named = str((spec.get("lifecycle") or {}).get("stopSignal") or "")
    if not named:
        return program.stop_signal
    # The API has real-time signals by their distance from the first or the last one too.
    base, sign, distance = named.partition("+") if "+" in named else named.partition("-")
    try:
        return int(signal.Signals[base]) + int(f"{sign}{distance}" or 0)
    except (KeyError, ValueError):
        raise ContainerNotMade(f"the stop signal {named!r} does not exist on this machine") from None


def _ended(code: int, reason: str, words: str, began: str, ended: str, container_id: str) -> Object:
    said = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": ended, "containerID": container_id}
    return said | ({"message": words} if words else {})
