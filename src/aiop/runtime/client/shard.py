"""How the objects of a cluster are divided among several leaders: by namespace."""

import zlib
from dataclasses import dataclass

from aiop.runtime.client.resource import ObjectKey


def shard_of(namespace: str, shards: int) -> int:
    """The shard that a namespace belongs to: stable across processes and versions (CRC-32).

    What has no namespace belongs to shard 0.
    """
    return zlib.crc32(namespace.encode()) % shards


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``index`` of ``count``; the only one unless said otherwise. Raises ValueError if there is no such shard."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            message = f"there is no shard {self.index} of {self.count}"
            raise ValueError(message)

    def holds(self, key: ObjectKey) -> bool:
        """True if the object belongs to this shard."""
        return shard_of(key.namespace, self.count) == self.index
