"""Pods whose containers are local processes of the caller: no root, no images, no container runtime.

How to use it::

    table = ProgramTable({
        "nvcr.io/nvidia/tritonserver:*": Program(launcher=[sys.executable, "-m", "my.server"]),
        "busybox*": Program(entrypoint=["sh"]),
    }, claims={"models": Path("models")})
    pods = ProcessPods(table, folder, random)          # folder: private to the caller, removed by the caller
    cluster = SimulatedCluster(api, clock, random, nodes=nodes, lives=pods)

``pods`` is the PodAccess too: logs, exec, addresses, use of CPU and memory. When ``cluster.run()`` ends, in whatever
way, every process is gone; when the caller dies, even by kill -9, so are they.

What a program is told besides its pod's own variables: ``AIOP_POD_IP`` (the address to listen on; not 0.0.0.0, which
all pods would share) and, for each containerPort, ``AIOP_PORT_<number>`` (the port to listen on: the same number, but
where the system has no address for each pod). A path in a variable, the command or an argument that lies under a
mountPath is replaced by the local path. See docs/reference/process-pods.md for what is as in a cluster and what is not.
"""

from aiop.sim.processes.pods import ProcessPods
from aiop.sim.processes.programs import Program, ProgramTable

__all__ = ["ProcessPods", "Program", "ProgramTable"]
