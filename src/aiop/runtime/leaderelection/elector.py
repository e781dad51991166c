"""Who leads, decided without I/O: observations and times go in, the next action comes out.

Another's lease expires a full duration after the local moment at which its record was last seen to change, so clocks
need not agree. Our own counts from before its renewal was sent, and ends at the renew deadline: five seconds before
anybody else may take over. What an earlier process of the same pod left behind is taken as soon as two renewals of it
are missing (docs/adr/0020).
"""

import math
from dataclasses import dataclass

from aiop.runtime.leaderelection.record import LeaseRecord

# A kubelet starts a container again once its process has ended; that a holder renews no more is the proof of it.
_MISSED_RENEWALS = 2
# A retry comes up to this much later than asked, so that candidates do not march in step (client-go's number).
JITTER = 1.2


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """In seconds: 15/10/2, the values that Kubernetes' own components use.

    A heartbeat older than ``heartbeat`` means that the operator's loop is stuck, and a stuck leader must not go on.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0
    heartbeat: float = 5.0

    def __post_init__(self) -> None:
        if not self.duration > self.renew_deadline > self.retry * JITTER:
            message = (
                f"lease times: duration {self.duration} must exceed renew deadline {self.renew_deadline}, "
                f"and that must exceed {JITTER} times retry {self.retry}"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until`` (monotonic), unless the Lease changes."""

    until: float


@dataclass(frozen=True, slots=True)
class Write:
    """Write ``record``: by POST if ``create``, else by PUT with its version."""

    record: LeaseRecord
    create: bool


@dataclass(frozen=True, slots=True)
class StepDown:
    """The lease can no longer be relied upon."""


Action = Wait | Write | StepDown


class Elector:
    """One candidate for one lease. Times are monotonic seconds; ``stamp`` is the wall clock for others to read.

    With ``pod`` the identities of all processes of this pod begin, and no other's; empty if there is no telling.
    """

    def __init__(self, identity: str, times: LeaseTimes, *, pod: str = "") -> None:
        self.identity = identity
        self._pod = pod
        self._left_behind: LeaseRecord | None = None
        self.times = times
        self.leading = False
        self.valid_until = -math.inf
        self._record: LeaseRecord | None = None
        self._known = False
        self._changed_at = -math.inf
        self._reserved_until = -math.inf
        self._next_attempt = -math.inf

    @property
    def holder(self) -> str:
        """Who holds the lease, as far as we know; empty if nobody."""
        return self._record.holder if self._record else ""

    def observe(self, record: LeaseRecord | None, now: float, *, version: str = "") -> None:
        """The Lease is ``record``, or there is none; ``version`` is that of the reading if there is none.

        While leading, what is older than our own last write is old news: a watch may lag behind our requests.
        """
        if self.leading and self._is_older(record.version if record else version):
            return
        if not self._known or record != self._record:
            # A Lease that was deleted by hand frees nothing: its holder may not know yet.
            self._reserved_until = -math.inf if record is not None else self._free_at()
            self._changed_at = now
        if not self._known and record is not None and self._pod and record.holder.startswith(self._pod):
            self._left_behind = record
        self._known = True
        self._record = record

    def decide(self, now: float, *, stamp: str, heartbeat_age: float) -> Action:
        """What to do at ``now``."""
        if self.leading:
            return self._as_leader(now, stamp, heartbeat_age)
        if not self._known or heartbeat_age > self.times.heartbeat:
            return Wait(now + self.times.retry)
        free_at = self._free_at()
        if now < max(free_at, self._next_attempt):
            return Wait(max(free_at, self._next_attempt))
        return self._acquisition(stamp)

    def succeeded(self, record: LeaseRecord, sent_at: float, now: float) -> None:
        """The write that was sent at ``sent_at`` is in the store; the lease counts from before it was sent."""
        self.observe(record, now)
        self.leading = True
        self.valid_until = sent_at + self.times.renew_deadline
        self._next_attempt = sent_at + self.times.retry

    def write_limit(self, now: float) -> float:
        """For how many seconds a write may be under way: time for a second try is left, and no lease is outlived."""
        half = self.times.renew_deadline / 2
        return min(half, self.valid_until - now) if self.leading else half

    def failed(self, now: float, draw: float) -> None:
        """A write failed; ``draw`` in [0, 1) spreads the next attempt."""
        self._next_attempt = now + self.times.retry * (1.0 + (JITTER - 1.0) * draw)

    def stepped_down(self) -> None:
        """The lease was let go."""
        self.leading = False
        self.valid_until = -math.inf

    def release(self, stamp: str) -> Write | None:
        """The write that lets the lease go at once; None if we do not hold it."""
        record = self._record
        if not self.leading or record is None or record.holder != self.identity:
            return None
        released = LeaseRecord(
            holder="",
            duration=1.0,  # as client-go does: whoever reads it may take over at once
            acquired=stamp,
            renewed=stamp,
            transitions=record.transitions,
            version=record.version,
        )
        return Write(released, create=False)

    def _as_leader(self, now: float, stamp: str, heartbeat_age: float) -> Action:
        record = self._record
        if now >= self.valid_until or record is None or record.holder != self.identity:
            return StepDown()
        if heartbeat_age > self.times.heartbeat:
            return Wait(min(now + self.times.retry, self.valid_until))
        if now < self._next_attempt:
            return Wait(min(self._next_attempt, self.valid_until))
        renewed = LeaseRecord(
            holder=self.identity,
            duration=self.times.duration,
            acquired=record.acquired,
            renewed=stamp,
            transitions=record.transitions,
            version=record.version,
        )
        return Write(renewed, create=False)

    def _free_at(self) -> float:
        record = self._record
        if record is None:
            return self._reserved_until
        if not record.holder or record.holder == self.identity:
            return -math.inf
        # A record without a duration is a hand's work; its holder may be alive all the same.
        silence = record.duration or self.times.duration
        if record == self._left_behind:
            silence = min(silence, _MISSED_RENEWALS * self.times.retry)
        return self._changed_at + silence

    def _is_older(self, version: str) -> bool:
        known = self._record.version if self._record else ""
        return version.isdecimal() and known.isdecimal() and int(version) < int(known)

    def _acquisition(self, stamp: str) -> Write:
        record = self._record
        transitions = record.transitions if record else 0
        if record is not None and record.holder != self.identity:
            transitions += 1
        taken = LeaseRecord(
            holder=self.identity,
            duration=self.times.duration,
            acquired=stamp,
            renewed=stamp,
            transitions=transitions,
            version=record.version if record else "",
        )
        return Write(taken, create=record is None)
