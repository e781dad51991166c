"""What leading takes: a lease, a gate that it opens, and something that seeks it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import Shard
from aiop.runtime.leaderelection.elector import LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate


@dataclass(frozen=True, slots=True)
class Leadership:
    """How to lead one shard: which Lease, as whom, and how to connect for it (a connection of its own).

    ``pod`` is what the identities of all processes of this pod begin with; empty: this one waits for an earlier one's
    lease as for anybody's.

    Raises ValueError if ``gate`` knows another number of shards than ``shard``.
    """

    lease: ObjectKey
    identity: str
    connect: Callable[[], Awaitable[Client]]
    gate: LeaseGate
    times: LeaseTimes = field(default_factory=LeaseTimes)
    shard: Shard = field(default_factory=Shard)
    pod: str = ""

    def __post_init__(self) -> None:
        if self.gate.shards != self.shard.count:
            message = f"lease {self.lease}: shard of {self.shard.count}, but the gate knows {self.gate.shards}"
            raise ValueError(message)


class Election(Protocol):
    """What seeks the lease: a thread of its own, or something tamer in a simulation."""

    def start(self) -> None:
        """Begin to seek it."""

    async def wait(self) -> None:
        """Return once stopped; raises what it died of. Called after `start`."""

    async def stop(self, *, release: bool) -> None:
        """Stop, and with ``release`` free the lease; nothing to do if it was not started."""
