"""The write gate that a lease opens. Written by the election's thread, read by any."""

import math
import threading
import zlib
from collections.abc import Mapping

from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock


def shard_of(namespace: str, shards: int) -> int:
    """The shard that a namespace belongs to: stable across processes and versions (CRC-32)."""
    return zlib.crc32(namespace.encode()) % shards


class LeaseGate:
    """Permits writes while the lease of the key's shard is held, until the moment that it can be relied upon."""

    def __init__(self, clock: Clock, *, shards: int = 1) -> None:
        self._clock = clock
        self._shards = shards
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
        valid_until = self._valid_until.get(shard_of(key.namespace, self._shards), -math.inf)
        if self._clock.monotonic() >= valid_until:
            message = f"write for {key}: this process does not hold the lease"
            raise WriteNotPermitted(message)
        return valid_until
