"""A story in which the operator does all that it ever does: what it needs no right for here, it needs none for at all.

Whoever grants it a new right adds here what it is for.
"""

import json
import os
import signal
from functools import partial
from typing import Any

from support.installation import SYSTEM, USER, Installation
from support.kubectl import Kubectl, eventually
from support.usedrights import Right, unused, used
from support.workloads import wait_for, workload

LABEL = "geartickler.com/aiworkload"
NAME = "demo"
# As many as an operator keeps beside the one that serves, and one more that has to go.
VERSIONS = ("v1", "v2", "v3", "v4")
# The annotation by which the operator knows a default runtime for its own, as it was written by an older version.
_INTENT = "controller-runtime.geartickler.com/intent"
# What the operator creates that is no child of a workload.
_ASIDE = {"events", "leases", "servingruntimes"}
# How it looks who has the Lease that it could not renew.
_LOOK = ("get", "leases")
_SCALING = {"enabled": True, "minReplicas": 2, "maxReplicas": 4, "targetCPUUtilization": 50}


def full(**spec: Any) -> dict[str, Any]:
    """A workload with every kind of child."""
    return workload(NAME, **{"replicas": 2, "inferenceEndpoint": "/demo", "autoscaling": _SCALING, **spec})


def children(rights: set[Right]) -> list[str]:
    """The resources that the operator makes for a workload, as kubectl calls them: by what it may create."""
    aside = {"events", "leases", "servingruntimes"}
    names = {
        (right.resource, right.group) for right in rights if right.verb == "create" and right.resource not in aside
    }
    return sorted(f"{resource}.{group}".rstrip(".") for resource, group in names)


class Story:
    """One workload, from the first manifest to the last, and what may happen to it and to the operator."""

    def __init__(self, here: Installation, namespace: str, rights: set[Right]) -> None:
        self._here = here
        self._kubectl = here.inside(namespace)
        self._rights = rights
        self._children = children(rights)

    def told(self) -> None:
        """All of it."""
        self._here.operator.start()
        self._kubectl.apply(full())
        self._ready()
        for child in self._children:
            self._loses_its_label(child)
        for version in VERSIONS:
            self._kubectl.apply(full(modelVersion=version))
            self._ready()
        self._warns_again()
        self._shrinks()
        self._the_api_server_restarts()
        self._a_default_runtime_is_old()
        assert self._here.operator.stop() == 0, self._here.operator.words()

    def _ready(self) -> None:
        wait_for(self._kubectl, "Ready", "True", name=NAME)

    def _loses_its_label(self, child: str) -> None:
        """It is out of the operator's sight then: the name is taken, looked at, found to be its own, and repaired."""
        for found in self._kubectl.items(child, "-l", f"{LABEL}={NAME}"):
            name = found["metadata"]["name"]
            self._kubectl("label", child, name, f"{LABEL}-")
            eventually(partial(self._has_label, child, name))

    def _warns_again(self) -> None:
        """The same event twice within minutes is one with a count."""
        for _ in range(2):
            self._kubectl.apply(full(runtime="no-such-runtime"))
            wait_for(self._kubectl, "Accepted", "False", name=NAME)
            self._kubectl.apply(full())
            self._ready()

    def _shrinks(self) -> None:
        """To the least that serves: what it needs no more is deleted."""
        self._kubectl.apply(workload(NAME, modelVersion=VERSIONS[-1]))
        for child in ("ingresses", "horizontalpodautoscalers"):
            eventually(partial(self._has_none, child))
        self._ready()

    def _the_api_server_restarts(self) -> None:
        """Watches break, and the operator asks whether the server is as far as it was.

        The operator stands still meanwhile: a server that has just started and refuses what it does not know yet would
        be asked for everything anew, by a watch. Its Lease is another when it goes on, so its renewal meets a conflict.
        """
        plane = self._here.plane
        os.kill(self._here.operator.pid, signal.SIGSTOP)
        plane.stop_api_server()
        plane.start_api_server_again()
        lease = self._here.inside(SYSTEM).items("leases")[0]["metadata"]["name"]
        self._here.inside(SYSTEM)("annotate", "lease", lease, "touched=yes")
        os.kill(self._here.operator.pid, signal.SIGCONT)
        reads = {right for right in self._rights if right.verb == "list" or (right.verb, right.resource) == _LOOK}
        log = plane.audit_log
        eventually(lambda: not unused(reads, used(log, USER)), told=lambda: unused(reads, used(log, USER)))

    def _a_default_runtime_is_old(self) -> None:
        """The operator brings its own up to date when it begins to lead."""
        admin: Kubectl = self._here.admin
        runtime = admin.items("servingruntimes")[0]["metadata"]
        mark = json.dumps({"metadata": {"annotations": {_INTENT: f"0000/{runtime['generation']}"}}})
        admin("patch", "servingruntime", runtime["name"], "--type=merge", "-p", mark)
        assert self._here.operator.stop() == 0, self._here.operator.words()
        self._here.operator.start()
        mark_of = partial(self._mark_of, runtime["name"])
        eventually(lambda: not mark_of().startswith("0000/"))

    def _mark_of(self, runtime: str) -> str:
        return str(self._here.admin.get("servingruntime", runtime)["metadata"]["annotations"][_INTENT])

    def _has_label(self, child: str, name: str) -> bool:
        return LABEL in self._kubectl.get(child, name)["metadata"]["labels"]

    def _has_none(self, child: str) -> bool:
        return not self._kubectl.items(child, "-l", f"{LABEL}={NAME}")
