"""n electors, one Lease, and a network that delays, loses and reorders: discrete events, drawn from a seed."""

import heapq
import itertools
import random
from collections.abc import Callable

import msgspec

from aiop.runtime.leaderelection.elector import Elector, LeaseTimes, StepDown, Wait, Write
from aiop.runtime.leaderelection.record import LeaseRecord

TIMES = LeaseTimes()
NAMES = ("a", "b", "c")
# How far a harsh world's clocks run fast or slow: far more than any real one does, and less than the five seconds
# between the renew deadline and the duration make up for.
_DRIFT = 0.05


class World:
    """Discrete events; every candidate has a monotonic clock of its own, and no two agree.

    In a ``harsh`` world no two run equally fast either, and every now and then an event loop is stuck, or a process is
    killed and another one starts in its pod.
    """

    def __init__(self, seed: int, *, harsh: bool) -> None:
        self.random = random.Random(seed)
        self.harsh = harsh
        self.now = 0.0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.record: LeaseRecord | None = None
        self.version = 0
        self.written_at: dict[str, float] = {}
        self.terms: list[tuple[float, str]] = []
        self.released = False
        self.candidates = [Candidate(self, f"{name}_0", f"{name}_") for name in NAMES]

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (self.now + seconds, next(self.order), work))

    def delay(self) -> float:
        slow = self.harsh and self.random.random() < 0.1
        return self.random.uniform(0.0, 20.0) if slow else self.random.uniform(0.001, 0.05)

    def heartbeat_age(self) -> float:
        stuck = self.harsh and self.random.random() < 0.1
        return self.random.uniform(0.0, 3 * TIMES.heartbeat) if stuck else self.random.uniform(0.0, 1.0)

    def run(self, until: float) -> None:
        while self.queue and self.queue[0][0] <= until:
            self.now, _, work = heapq.heappop(self.queue)
            work()

    def kill(self, victim: "Candidate", away: float) -> "Candidate":
        """The process is no more, but for what it has sent; after ``away`` another one starts in its pod."""
        victim.gate, victim.dead = -1e9, True
        number = self.candidates.index(victim)
        process = int(victim.elector.identity.partition("_")[2]) + 1
        heir = Candidate(self, f"{victim.pod}{process}", victim.pod, away)
        self.candidates[number] = heir
        return heir

    def store(self, write: Write) -> LeaseRecord | None:
        """The record as stored; None if the precondition does not hold."""
        known = self.record
        if write.create != (known is None) or (known is not None and write.record.version != known.version):
            return None
        self.version += 1
        self.record = msgspec.structs.replace(write.record, version=str(self.version))
        if write.record.holder:
            self.written_at[write.record.holder] = self.now
        self.released = not write.record.holder
        record = self.record
        for candidate in self.candidates:
            candidate.hears(record)
        return record

    def arrived(self, write: Write) -> None:
        self.store(write)


class Candidate:
    def __init__(self, world: World, name: str, pod: str, away: float = 0.0) -> None:
        self.world = world
        self.pod = pod
        self.dead = False
        self.watches = False
        self.offset = world.random.uniform(-1e6, 1e6)
        self.rate = world.random.uniform(1 - _DRIFT, 1 + _DRIFT) if world.harsh else 1.0
        self.elector = Elector(name, TIMES, pod=pod)
        self.busy = False
        self.gate = -1e9  # until when writes are let through, in the world's time
        self.paused_until = 0.0
        self.heard_at = 0.0
        world.after(away + world.delay(), self.look)

    @property
    def now(self) -> float:
        return self.world.now * self.rate + self.offset

    def look(self) -> None:
        self.watches = True
        self.elector.observe(self.world.record, self.now)
        self.step()

    def hears(self, record: LeaseRecord) -> None:
        """A watch keeps its order, however late it is."""
        if not self.watches:
            return
        self.heard_at = max(self.heard_at, self.world.now + self.world.delay())

        def told() -> None:
            self.elector.observe(record, self.now)
            self.step()

        self.world.after(self.heard_at - self.world.now, told)

    def awake(self, work: Callable[[], None]) -> bool:
        """A stopped process does what is due when it goes on, and a dead one nothing."""
        if self.dead:
            return False
        if self.world.now >= self.paused_until:
            return True
        self.world.after(self.paused_until - self.world.now, work)
        return False

    def step(self) -> None:
        if self.busy or not self.awake(self.step):
            return
        if self.world.harsh and self.world.random.random() < 0.01:
            self.paused_until = self.world.now + self.world.random.uniform(0.0, 40.0)
        if self.world.harsh and self.world.random.random() < 0.01:
            self.world.kill(self, self.world.random.uniform(0.0, 30.0))
            return
        age = self.world.heartbeat_age()
        match self.elector.decide(self.now, stamp=str(self.world.random.random()), heartbeat_age=age):
            case Wait(until):
                self.world.after(max(0.0, until - self.now) / self.rate + 1e-6, self.step)
            case Write() as write:
                assert age <= TIMES.heartbeat, "a stuck candidate writes"
                self.send(write)
            case StepDown():
                self.close()
                self.world.after(0.0, self.step)

    def send(self, write: Write) -> None:
        self.busy = True
        sent_at, limit = self.now, self.elector.write_limit(self.now) / self.rate
        there, back = self.world.delay(), self.world.delay()
        lost = self.world.harsh and self.world.random.random() < 0.05

        def arrives() -> None:
            stored = self.world.store(write)
            in_time = there + back < limit and not lost
            self.world.after(back if in_time else max(0.0, limit - there), lambda: self.hear(stored, sent_at, in_time))

        self.world.after(there, arrives)

    def hear(self, stored: LeaseRecord | None, sent_at: float, in_time: bool) -> None:
        if not self.awake(lambda: self.hear(stored, sent_at, in_time)):
            return
        self.busy = False
        if stored is None or not in_time:
            self.elector.failed(self.now, self.world.random.random())
        else:
            self.succeed(stored, sent_at)
        self.step()

    def succeed(self, stored: LeaseRecord, sent_at: float) -> None:
        gained = not self.elector.leading
        self.elector.succeeded(stored, sent_at, self.now)
        self.gate = (self.elector.valid_until - self.offset) / self.rate
        if gained:
            self.world.terms.append((self.world.now, self.elector.identity))
        if self.gate > self.world.now:
            others = [each for each in self.world.candidates if each is not self]
            assert all(other.gate <= self.world.now for other in others), "two gates are open"

    def close(self) -> None:
        self.gate = -1e9
        self.elector.stepped_down()

    def release(self) -> None:
        write = self.elector.release("now")
        self.close()
        self.paused_until = 1e9
        if write is not None:
            self.world.after(self.world.delay(), lambda: self.world.arrived(write))
