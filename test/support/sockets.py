"""What the kernel still has to deliver of a process's connections."""

from pathlib import Path

# Of a line in /proc/PID/net/tcp: the fifth word is TX_QUEUE:RX_QUEUE, both in hexadecimal.
_QUEUES = 4


def unacknowledged(pid: int) -> int:
    """Bytes that were sent in the process's network namespace and that nobody has acknowledged.

    They are sent again and again for minutes, even after the connection was closed and its process has ended.
    """
    tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines() for name in ("tcp", "tcp6")]
    return sum(int(line.split()[_QUEUES].partition(":")[0], 16) for table in tables for line in table[1:])
