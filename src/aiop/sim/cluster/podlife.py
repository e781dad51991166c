"""One pod's life on its node: what its containers do, one step after the other, as the outcome says."""

import itertools
import random as random_module
from dataclasses import replace

from aiop.sim.cluster import modelfetch, podstatus, resizing
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.lives import Desk
from aiop.sim.cluster.objects import (
    containers_of,
    finished,
    init_containers_of,
    pod_ready,
    status_of,
    version_of,
)
from aiop.sim.cluster.outcomes import Ending, Outcome, Script
from aiop.sim.cluster.podstatus import View

# Between the first failed pull and the first back-off, and between a first crash and the restart that follows it.
_BEAT_SECONDS = 1.0
# No two pods take exactly as long.
_JITTER = 0.1


class ScriptedLives:
    """Lives that go as ``script`` says, each a little different."""

    def __init__(self, script: Script, random: random_module.Random) -> None:
        self._script = script
        self._random = random
        self._addresses = itertools.count(1)

    def begin(self, pod: Object, desk: Desk) -> "PodLife":
        """See Lives."""
        return PodLife(pod, self._about(self._script(pod)), self._address(), desk)

    async def close(self) -> None:
        """Scripts share nothing."""

    def _about(self, outcome: Outcome) -> Outcome:
        factor = 1.0 + _JITTER * self._random.random()
        return replace(
            outcome, start_seconds=outcome.start_seconds * factor, ready_seconds=outcome.ready_seconds * factor
        )

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.{64 + number // 65025 % 64}.{number // 255 % 255}.{number % 255 + 1}"


class PodLife:
    """A Life by script."""

    def __init__(self, pod: Object, outcome: Outcome, address: str, desk: Desk) -> None:
        self._pod = pod
        self._outcome = outcome
        self._given_address = address
        self._address = str(status_of(pod).get("podIP") or "")
        self._views = podstatus.views_of(pod)
        self._granted = resizing.granted_before(pod)
        self._decided = self._granted
        self._no_room: Object | None = None
        self._desk = desk
        self._moment = desk.moment
        self._write = desk.write
        self._say = desk.say
        self._sleep = desk.sleep

    @property
    def _target(self) -> str:
        """The container that the outcome happens to."""
        names = [each["name"] for each in [*containers_of(self._pod), *init_containers_of(self._pod)]]
        return self._outcome.container if self._outcome.container in names else names[0]

    async def live(self) -> None:
        """From the binding until nothing more happens by itself."""
        if finished(self._pod) or (pod_ready(self._pod) and self._outcome.ending is Ending.SERVES):
            return  # a kubelet that starts anew finds it so
        await self._create()
        for each in init_containers_of(self._pod):
            await self._initialize(each)
            if not self._may_go_on(each):
                return
        await self._serve()
        await self._resize()

    def notice(self, pod: Object) -> None:
        """Nothing that happens to a pod changes its script."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    def contradicted_by(self, pod: Object) -> bool:
        """True if somebody has since taken the Ready condition from a pod whose containers serve, or resized it.

        The former is what a node controller does that misses a node's beats.
        """
        views = [self._views.get(each["name"]) for each in containers_of(self._pod)]
        serves = all(view is not None and view.ready for view in views)
        newer = version_of(pod) > version_of(self._pod)
        return serves and newer and not finished(pod) and (not pod_ready(pod) or self._unlike(pod))

    async def restate(self, pod: Object) -> None:
        """Say again how the pod, as it is now, is, and give it what it asks for."""
        self._pod = pod
        if self._unlike(pod):
            await self._resize()
        else:
            await self._show()

    def _unlike(self, pod: Object) -> bool:
        """True if the pod asks for amounts that nothing was decided of yet."""
        return resizing.amounts_in(pod) != self._decided

    async def _resize(self) -> None:
        """Without a restart, if the node has the room; else say so. What is asked for meanwhile comes next."""
        while self._unlike(self._pod):
            await self._sleep(self._outcome.start_seconds)
            asked = resizing.amounts_in(self._pod)
            self._no_room = await resizing.refusal(self._desk.api, self._pod)
            self._decided = asked
            if self._no_room is None:
                self._granted = asked
            await self._show()

    async def end(self, pod: Object, grace_seconds: float) -> None:
        """Stop every container of ``pod``, as it is now, and say how they ended."""
        self._pod = pod
        if finished(pod):
            return
        await self._sleep(min(self._outcome.stop_seconds, grace_seconds))
        moment = self._moment()
        for name, view in self._views.items():
            if view.doing == "running":
                await self._say("Killing", f"Stopping container {name}")
                state = podstatus.terminated(Outcome(), view.state["running"]["startedAt"], moment)
                self._views[name] = replace(view, state=state, ready=False)
            elif view.doing == "waiting":
                self._views[name] = replace(view, state=podstatus.lost(moment), ready=False)
        # A pod that goes will not restart, whatever its policy says.
        gone = {**self._pod, "spec": {**self._pod["spec"], "restartPolicy": "Never"}}
        if self._views:
            await self._write(podstatus.pod_status(gone, moment, self._views, self._address))

    async def _create(self) -> None:
        inits = init_containers_of(self._pod)
        for each in [*inits, *containers_of(self._pod)]:
            known = self._views.get(each["name"])
            reason = "PodInitializing" if inits else "ContainerCreating"
            restarts = known.restarts if known else 0
            self._views[each["name"]] = View(podstatus.waiting(reason), restarts=restarts)
        await self._show()
        await self._sleep(self._outcome.start_seconds)
        self._address = self._address or self._given_address

    async def _initialize(self, container: Object) -> None:
        name = container["name"]
        if name == self._target and await self._befalls(name):
            return
        await self._start(name)
        if container.get("restartPolicy") == "Always":
            self._views[name] = replace(self._views[name], ready=True)
        else:
            if seconds := modelfetch.seconds_of(container):
                await self._show()
                await self._sleep(seconds)
            done = Outcome(message=modelfetch.last_word(container))
            self._views[name] = replace(self._finish(name, done), ready=True)
        await self._show()

    def _may_go_on(self, container: Object) -> bool:
        view = self._views[container["name"]]
        return view.ended_well or (container.get("restartPolicy") == "Always" and view.doing == "running")

    async def _serve(self) -> None:
        mains = [each["name"] for each in containers_of(self._pod)]
        target = self._target if self._target in mains else ""
        for name in mains:
            if name != target:
                await self._start(name, ready=True)
        if target and not await self._befalls(target):
            await self._start(target)
            await self._show()
            await self._go_on(target)
        elif not target:
            await self._show()

    async def _go_on(self, name: str) -> None:
        """What a container that runs does next."""
        ending = self._outcome.ending
        if ending is Ending.NEVER_READY:
            return
        await self._sleep(self._outcome.ready_seconds)
        self._views[name] = replace(self._views[name], ready=True)
        await self._show()
        if ending is Ending.EVICTED:
            await self._sleep(self._outcome.ready_seconds)
            await self._evict()

    async def _befalls(self, name: str) -> bool:
        """Let happen to the container what keeps it from serving; False if nothing does."""
        match self._outcome.ending:
            case Ending.IMAGE_MISSING:
                await self._miss_image(name)
            case Ending.CONFIG_ERROR:
                words = self._outcome.message or podstatus.root_refused(self._pod, name)
                self._views[name] = replace(
                    self._views[name], state=podstatus.waiting("CreateContainerConfigError", words)
                )
                await self._show()
                await self._say("Failed", f"Error: {words}", warning=True)
            case Ending.CRASHES | Ending.COMPLETES:
                await self._run_to_end(name)
            case _:
                return False
        return True

    async def _miss_image(self, name: str) -> None:
        """The real kubelet goes on trying and shows both reasons in turn; we stop at the second."""
        image = next(str(each["image"]) for each in self._everything() if each["name"] == name)
        failed = podstatus.pull_failed(image, self._outcome.message)
        self._views[name] = replace(self._views[name], state=podstatus.waiting("ErrImagePull", failed))
        await self._show()
        await self._say("Failed", f'Failed to pull image "{image}": {failed}', warning=True)
        await self._sleep(_BEAT_SECONDS)
        words = podstatus.pull_back_off(image, self._outcome.message)
        self._views[name] = replace(self._views[name], state=podstatus.waiting("ImagePullBackOff", words))
        await self._show()

    async def _run_to_end(self, name: str) -> None:
        """Run, end, and start again for as long as the restart policy says."""
        while True:
            # Nobody probes a container that is to end, and one that is not probed is ready.
            await self._start(name, ready=self._outcome.ending is Ending.COMPLETES)
            await self._show()
            await self._sleep(self._outcome.ready_seconds)
            ended = self._finish(name, self._outcome)
            self._views[name] = ended
            if not self._restarts_after(name):
                self._finish_others()
                await self._show()
                return
            if ended.restarts:
                words = podstatus.crash_back_off(self._pod, name, ended.restarts)
                state = podstatus.waiting("CrashLoopBackOff", words)
                self._views[name] = replace(ended, state=state, last=ended.state)
                await self._say(
                    "BackOff",
                    f"Back-off restarting failed container {name} in pod {podstatus.full_name(self._pod)}",
                    warning=True,
                )
            await self._show()
            await self._sleep(podstatus.crash_delay(ended.restarts) or _BEAT_SECONDS)
            self._views[name] = replace(self._views[name], restarts=ended.restarts + 1, last=ended.state)

    def _restarts_after(self, name: str) -> bool:
        policy = self._pod["spec"].get("restartPolicy", "Always")
        is_init = any(each["name"] == name for each in init_containers_of(self._pod))
        if self._outcome.exit_code == 0 and is_init:
            return False
        return policy == "Always" or (policy == "OnFailure" and self._outcome.exit_code != 0)

    async def _start(self, name: str, *, ready: bool = False) -> None:
        self._views[name] = replace(self._views[name], state=podstatus.running(self._moment()), ready=ready)
        await self._say("Started", f"Container started: {name}")

    def _finish(self, name: str, outcome: Outcome) -> View:
        view = self._views[name]
        return replace(
            view,
            state=podstatus.terminated(outcome, view.state["running"]["startedAt"], self._moment()),
            ready=False,
        )

    def _finish_others(self) -> None:
        """With the one that completes, its companions complete; sidecars end with the last of them."""
        mains = [each["name"] for each in containers_of(self._pod)]
        for name in mains:
            if self._outcome.ending is Ending.COMPLETES and self._views[name].doing == "running":
                self._views[name] = self._finish(name, Outcome())
        if all(self._views[name].doing == "terminated" for name in mains):
            for each in init_containers_of(self._pod):
                if self._views[each["name"]].doing == "running":
                    self._views[each["name"]] = self._finish(each["name"], Outcome())

    async def _evict(self) -> None:
        killed = Outcome(exit_code=137, reason="Error")
        for each in containers_of(self._pod):
            self._views[each["name"]] = self._finish(each["name"], killed)
        await self._say("Evicted", "The node was low on resource: memory.", warning=True)
        await self._write(podstatus.evicted(self._pod, self._moment(), self._views, self._address))

    def _everything(self) -> list[Object]:
        return [*init_containers_of(self._pod), *containers_of(self._pod)]

    async def _show(self) -> None:
        moment = self._moment()
        status = podstatus.pod_status(self._pod, moment, self._views, self._address)
        self._pod = await self._write(resizing.told(status, self._granted, self._no_room, moment))
