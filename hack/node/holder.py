"""The first process of a node's namespaces: whatever ends it ends every process in them, and their mounts and links.

`unshare` starts it as process 1. It starts the supervisor, reaps what is orphaned (containerd's shims among it), and
ends when the supervisor ends.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path


def started(process: Path) -> str:
    """When a process began, in ticks since the machine's start; with its id it is unique. Raises OSError."""
    return (process / "stat").read_text().rpartition(")")[2].split()[19]


def main(folder: Path) -> int:
    """Hold the namespaces; returns the supervisor's exit code."""
    # /proc is still the machine's: this is what the machine knows this process by.
    known = f"{Path('/proc/self').readlink()} {started(Path('/proc/self'))}"
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    supervisor = subprocess.Popen([sys.executable, "-m", "hack.node.supervisor", str(folder)]).pid
    for number in (signal.SIGTERM, signal.SIGINT):  # what process 1 does not handle is not delivered to it
        signal.signal(number, lambda *_: os.kill(supervisor, signal.SIGTERM))
    unfinished = folder / "holder.new"
    unfinished.write_text(known)
    unfinished.rename(folder / "holder.pid")
    while True:
        ended, status = os.wait()
        if ended == supervisor:
            return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
