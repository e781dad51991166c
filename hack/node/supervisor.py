"""What runs inside a node's namespaces: it starts the programs, says when they are ready, and does what it is told.

Its caller speaks to it through a socket in the node's folder: a line with a command, a line with the answer.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hack.controlplane.launch import ControlPlane
from hack.controlplane.processes import Component, ProcessFailed, wait_until
from hack.definitions import GATEWAY_API, definitions
from hack.node import containers, identities, manifests, mounts, network, settings
from hack.node.place import Place
from hack.node.programs import Programs

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_QUESTION_SECONDS = 5.0
_GATEWAY_KINDS = (
    *("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes"),
    *("listenersets", "referencegrants", "tlsroutes"),
)
# The node's name is in no DNS, and the metrics API is asked where it listens, with no Service between.
_WAYS = ("--kubelet-preferred-address-types=InternalIP", "--enable-aggregator-routing=true")
# A cluster in the background may run for days: 100 MB of its writes, and as much from before.
_SHORT_MEMORY = ("--audit-log-maxsize=100", "--audit-log-maxbackup=1")
# Load is answered within half a minute, not within minutes.
_QUICK_AUTOSCALING = (
    "--horizontal-pod-autoscaler-sync-period=5s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=15s",
)


class Supervisor:
    """The programs of one node, in the order in which they need one another."""

    def __init__(self, place: Place, programs: Programs) -> None:
        self._place = place
        self._programs = programs
        self._components: dict[str, Component] = {}
        self._users = identities.users(place.name)
        self._certificates = identities.certificates(place.state / "certificates")
        self._plane = ControlPlane(
            place.plane,
            address=place.address,
            users=list(self._users.values()),
            options=[*self._certificates.options(), *_WAYS, *_SHORT_MEMORY],
            manager_options=_QUICK_AUTOSCALING,
        )

    def start(self) -> None:
        """Start everything and return once a pod could run and be reached; raises ProcessFailed."""
        self._start_containerd()
        self._plane.start()
        self.start_kubelet()
        self._apply(*self._definitions())
        self._apply(manifests.objects(self._place))
        self._start_addons()
        # Without its metrics API a cluster deletes no namespace.
        for what in (f"Ready node/{self._place.name}", "Available apiservice/v1beta1.metrics.k8s.io"):
            condition, name = what.split()
            self._kubectl("wait", f"--for=condition={condition}", name, "--timeout=60s")

    def start_kubelet(self) -> None:
        """Start kubelet, if it does not run; its pods go on as they were."""
        running = self._components.get("kubelet")
        if running and running.process.poll() is None:
            return
        arguments = settings.kubelet(self._place, self._certificates, self._kubeconfig("kubelet"))
        self._run("kubelet", str(self._programs.kubernetes), "kubelet", *arguments)

    def stop_kubelet(self) -> None:
        """Stop kubelet; its pods go on running, with nobody to tell of them."""
        self._components.pop("kubelet").stop(_STOP_SECONDS)

    def check(self) -> None:
        """Raise ProcessFailed if a program has ended by itself."""
        self._plane.check()
        for component in self._components.values():
            component.check()

    def _start_containerd(self) -> None:
        network.write_plugins(self._place.state / "plugins", self._place.state)
        configuration = containers.write_settings(self._place, self._programs)
        component = self._run("containerd", "containerd", "--config", str(configuration))
        wait_until(lambda: self._ctr("version").returncode == 0, [component], _START_SECONDS)
        done = self._ctr("images", "import", str(self._programs.sandbox.archive))
        if done.returncode:
            raise ProcessFailed(done.stderr)

    def _start_addons(self) -> None:
        place, programs = self._place, self._programs
        proxy = settings.proxy(place, self._kubeconfig("kube-proxy"))
        self._run("kube-proxy", str(programs.kubernetes), "kube-proxy", *proxy)
        self._run("coredns", str(programs.coredns), *settings.dns(place, self._kubeconfig("coredns")))
        metrics = settings.metrics_server(place, self._kubeconfig("metrics-server"))
        self._run("metrics-server", str(programs.metrics_server), *metrics)
        os.environ["KUBECONFIG"] = str(self._kubeconfig("traefik"))
        self._run("traefik", str(programs.traefik), *settings.traefik(place))
        del os.environ["KUBECONFIG"]
        wait_until(_answers("http://127.0.0.1:8181/ready"), [self._components["coredns"]], _START_SECONDS)
        wait_until(_answers("http://127.0.0.1:8082/ping"), [self._components["traefik"]], _START_SECONDS)

    def _run(self, name: str, *command: str) -> Component:
        self._components[name] = Component(name, command, self._place.logs)
        return self._components[name]

    def _ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["ctr", "--address", str(self._place.containerd), "--namespace", "k8s.io", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def _kubeconfig(self, user: str) -> Path:
        return self._plane.write_kubeconfig(self._place.state / f"{user}.kubeconfig", self._users[user].token)

    def _definitions(self) -> tuple[list[dict[str, Any]], list[Path]]:
        files = tuple(f"gateway.networking.k8s.io_{kind}.yaml" for kind in _GATEWAY_KINDS)
        return manifests.definitions(), list(definitions(replace(GATEWAY_API, files=files)))

    def _apply(self, objects: list[dict[str, Any]], files: list[Path] | None = None) -> None:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        named = [word for file in files or [] for word in ("-f", str(file))]
        self._kubectl("apply", "--server-side", "-f", "-", *named, stdin=listed)
        if files:
            self._kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

    def _kubectl(self, *arguments: str, stdin: str = "") -> None:
        command = [str(Path(sys.executable).with_name("kubectl")), "--kubeconfig", str(self._plane.kubeconfig)]
        done = subprocess.run([*command, *arguments], input=stdin, check=False, capture_output=True, text=True)
        if done.returncode:
            message = f"kubectl {' '.join(arguments)}: {done.stderr}"
            raise ProcessFailed(message)


def _answers(url: str) -> Callable[[], bool]:
    def asked() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http, ours
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except (OSError, urllib.error.URLError):
            return False

    return asked


def serve(place: Place, supervisor: Supervisor) -> None:
    """Do what is asked through the socket, one at a time, until the namespaces end."""
    commands: Mapping[str, Callable[[], None]] = {
        "check": supervisor.check,
        "stop-kubelet": supervisor.stop_kubelet,
        "start-kubelet": supervisor.start_kubelet,
    }
    unfinished = place.control.with_suffix(".new")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(unfinished))
        listener.listen()
        unfinished.rename(place.control)  # whoever sees it can call
        while True:
            caller, _ = listener.accept()
            # A caller may be killed while it waits, or say nothing: the node outlives it.
            with contextlib.suppress(OSError, ValueError), caller:
                caller.settimeout(_QUESTION_SECONDS)
                with caller.makefile("rw") as lines:
                    lines.write(f"{json.dumps(_answer(commands, lines.readline().strip()))}\n")


def _answer(commands: Mapping[str, Callable[[], None]], command: str) -> str:
    try:
        commands[command]()
    except (ProcessFailed, KeyError) as failure:
        return f"{command}: {failure}"
    return ""


def main(folder: Path) -> None:
    """Start the node of the folder's record and serve."""
    place = Place.read(folder)
    if place is None:
        sys.exit(f"{folder} has no record of a node")
    socket.sethostname(place.name)
    began = time.monotonic()
    programs = Programs.read(place.programs)
    mounts.set_up(place)
    network.set_up(place)
    supervisor = Supervisor(place, programs)
    supervisor.start()
    print(f"ready after {time.monotonic() - began:.1f} s")
    serve(place, supervisor)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
