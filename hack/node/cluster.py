"""A real cluster of one node on this machine, in namespaces of its own: what tests and `make cluster` use.

Control plane, containerd, kubelet, kube-proxy, CoreDNS, metrics-server and Traefik run as root; nothing is installed,
nothing leaves the machine, and nothing stays behind.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hack.node import cgroups, folder, machine
from hack.node.cable import connect, disconnect, numbering
from hack.node.errors import NodeFailed
from hack.node.namespace import Namespace
from hack.node.place import Place
from hack.node.programs import Programs, ensure_programs

# A quiet 2-core machine takes 20 s.
_START_SECONDS = 240.0
# The namespaces alone take less than one; who made them is gone by then, and cannot say that it failed.
_HELD_SECONDS = 30.0
_ANSWER_SECONDS = 60.0


class NodeCluster:
    """The cluster in the folder ``path``: a context manager, or `start` and `stop`; several may run at once.

    Started by ``with``, it ends with its process, however that ends. Started with ``detached``, it stays until `stop`,
    from whatever process. If one runs in the folder already, `attach` takes that one.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.resolve()
        self._namespace = Namespace(self.folder)
        self._known: Place | None = None
        self._programs: Programs | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig, good on the machine itself."""
        return self._place.kubeconfig

    @property
    def address(self) -> str:
        """The node's address; the machine reaches it, and pods do."""
        return self._place.address

    @property
    def traffic_url(self) -> str:
        """Where Traefik answers for Ingresses and HTTPRoutes."""
        return f"http://{self.address}"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line, for each write."""
        return self._place.plane / "audit.log"

    @property
    def node_name(self) -> str:
        """Of the one node."""
        return self._place.name

    @property
    def running(self) -> bool:
        """True while it runs and takes commands."""
        return self._namespace.pid is not None and (self.folder / "control").exists()

    def start(self, *, detached: bool = False) -> Self:
        """Bring it up and return once a pod could run; raises NodeFailed and what `ensure_programs` does."""
        machine.insist()
        self._environment()  # what is missing is said before anything is ended
        self.stop()
        try:
            self._launch(detached=detached)
        except BaseException:
            self.stop()
            raise
        return self

    def attach(self) -> bool:
        """Take the cluster that runs in the folder, if one does."""
        return self.running

    def stop(self) -> None:
        """End it, whoever started it, and whatever is left of it; logs stay, and the audit log."""
        place = Place.read(self.folder)
        self._namespace.end()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if place is not None:
            disconnect(place, _environment_of(place))
            cgroups.remove(place.name)
            folder.remove_all_but_logs(place)
            place.forget()
        self._known = None

    def remove_logs(self) -> None:
        """Delete what `stop` leaves, and the folder, unless something lies there that is no cluster's."""
        folder.remove_logs(self.folder)

    def load(self, archive: Path) -> None:
        """Import an OCI archive into containerd; pods name it by its full reference and never pull it."""
        self._images("import", str(archive))

    def name(self, reference: str, other: str) -> None:
        """Give an image that was loaded another full reference too."""
        self._images("tag", "--force", reference, other)

    def inside(self, *command: str) -> list[str]:
        """A command line that runs ``command`` in the node's network."""
        return self._namespace.command(*command)

    def entered(self, *command: str) -> list[str]:
        """A command line that runs ``command`` in all of the node's namespaces."""
        return self._namespace.command(*command, everything=True)

    def check(self) -> None:
        """Raise NodeFailed if one of the programs has ended by itself."""
        self._tell("check")

    def stop_kubelet(self) -> None:
        """Stop kubelet; the pods go on."""
        self._tell("stop-kubelet")

    def start_kubelet(self) -> None:
        """Start it again."""
        self._tell("start-kubelet")

    def container_pid(self, namespace: str, pod: str, container: str = "") -> int:
        """The first process of a running container (of the only one, if none is named), as the machine knows it."""
        chosen = self._container(namespace, pod, container)
        group = cgroups.find(self.node_name, _id(chosen))
        processes = (group / "cgroup.procs").read_text().split() if group else []
        for pid in processes:
            if _is_first(int(pid)):
                return int(pid)
        message = f"container {chosen['name']} of pod {namespace}/{pod} does not run"
        raise NodeFailed(message)

    def pod_cgroups(self, namespace: str, pod: str) -> list[Path]:
        """The cgroups of a pod with one container, the sandbox in it; one in each hierarchy of the machine's."""
        found = cgroups.find_all(self.node_name, _id(self._container(namespace, pod, "")))
        return [group.parent for group in found]

    def cut(self, namespace: str, pod: str) -> None:
        """Drop every packet from and to a pod until it is mended; probes of kubelet fail too."""
        self._packets("-I", namespace, pod)

    def mend(self, namespace: str, pod: str) -> None:
        """Let its packets through again."""
        self._packets("-D", namespace, pod)

    @property
    def _place(self) -> Place:
        if self._known is None:
            self._known = Place.read(self.folder)
        if self._known is None:
            message = f"no cluster runs in {self.folder}"
            raise NodeFailed(message)
        return self._known

    def _launch(self, *, detached: bool) -> None:
        folder.insist(self.folder)
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        with numbering(self.folder, self._environment()) as place:
            place.write()
            # Tokens lie there, good for all that root may do.
            place.plane.mkdir(mode=0o700, exist_ok=True)
            place.state.mkdir(mode=0o700)
            self._known_programs.write(place.programs)
            cgroups.make(place.name)
            self._process = self._namespace.make(self._environment(), detached=detached)
            self._until(lambda: self._namespace.pid is not None, _HELD_SECONDS)
            connect(place, self._namespace.pid or 0, self._environment())
            if detached:
                self._process.wait()
                self._process = None
        self._until(place.control.exists, _START_SECONDS)

    def _until(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            ended = self._namespace.pid is None if self._process is None else self._process.poll()
            if ended or time.monotonic() > deadline:
                log = (self.folder / "logs" / "supervisor.log").read_text(errors="replace")
                message = f"the cluster did not come up:\n{log[-4000:]}"
                raise NodeFailed(message)
            time.sleep(0.05)

    def _images(self, *words: str) -> None:
        containerd = ["--address", str(self._place.containerd), "--namespace", "k8s.io"]
        _said([*self.entered("ctr"), *containerd, "images", *words], self._environment())

    @property
    def _known_programs(self) -> Programs:
        self._programs = self._programs or ensure_programs()
        return self._programs

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._known_programs.environment}

    def _tell(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_ANSWER_SECONDS)
            caller.connect(str(self._place.control))
            with caller.makefile("rw") as lines:
                lines.write(f"{command}\n")
                lines.flush()
                answer = json.loads(lines.readline() or '"the node has ended"')
        if answer:
            raise NodeFailed(answer)

    def _get(self, *arguments: str) -> Any:
        kubectl = [str(Path(sys.executable).with_name("kubectl")), "--kubeconfig", str(self.kubeconfig)]
        return json.loads(_said([*kubectl, "get", *arguments, "-o", "json"], dict(os.environ)))

    def _container(self, namespace: str, pod: str, container: str) -> dict[str, Any]:
        statuses = self._get("pod", pod, "--namespace", namespace)["status"].get("containerStatuses", [])
        (chosen,) = [each for each in statuses if container in ("", each["name"])]
        return dict(chosen)

    def _packets(self, change: str, namespace: str, pod: str) -> None:
        address = self._get("pod", pod, "--namespace", namespace)["status"]["podIP"]
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d"), ("FORWARD", "-s"), ("FORWARD", "-d")):
            rule = ["iptables", "--wait", change, chain, side, address, "-j", "DROP"]
            _said(self.entered(*rule), self._environment())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _environment_of(place: Place) -> dict[str, str]:
    """Where the programs of a node are found that another process started, and that may be cut off half-way."""
    with contextlib.suppress(OSError, ValueError):
        return {**os.environ, **Programs.read(place.programs).environment}
    return dict(os.environ)


def _id(status: dict[str, Any]) -> str:
    """A container's id, without its runtime's name."""
    return str(status.get("containerID", "")).rpartition("/")[2]


def _is_first(pid: int) -> bool:
    """Whether it is process 1 of the innermost namespace that it lives in."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (ids,) = [line.split()[1:] for line in lines if line.startswith("NSpid:")]
    return ids[-1] == "1"


def _said(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        message = f"{' '.join(command)}: {done.stderr.strip()}"
        raise NodeFailed(message)
    return done.stdout
