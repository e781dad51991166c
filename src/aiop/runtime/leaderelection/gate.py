"""The write gate that a lease opens. Written by the election's thread, read by any."""

import math
import threading
from collections.abc import Mapping

from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import shard_of
from aiop.runtime.kit.clock import Clock


class LeaseGate:
    """Permits writes while the lease of the key's shard is held, until the moment that it can be relied upon."""

    def __init__(self, clock: Clock, *, shards: int = 1) -> None:
        self.shards = shards
        self._clock = clock
        # Replaced as a whole: a reader in another thread sees the old mapping or the new one.
        self._valid_until: Mapping[int, float] = {}
        # Each shard's election has a thread of its own, and none may undo another's word.
        self._writing = threading.Lock()

    def open(self, shard: int, valid_until: float) -> None:
        """The shard's lease is good until ``valid_until`` (monotonic seconds)."""
        with self._writing:
            self._valid_until = {**self._valid_until, shard: valid_until}

    def close(self, shard: int) -> None:
        """The shard's lease is gone."""
        self.open(shard, -math.inf)

    def permit(self, key: ObjectKey) -> float:
        """Until when a write for ``key`` may be under way; raises WriteNotPermitted."""
        valid_until = self._valid_until.get(shard_of(key.namespace, self.shards), -math.inf)
        if self._clock.monotonic() >= valid_until:
            message = f"write for {key}: this process does not hold the lease"
            raise WriteNotPermitted(message)
        return valid_until
