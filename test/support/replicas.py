"""The operator's replicas on a real node: who leads, and by the audit log what each of them wrote when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from support.kubectl import Kubectl, eventually

SYSTEM, RELEASE, LEASE = "aiop-system", "aiop", "aiop-manager"
METRICS_PORT, HEALTH_PORT = 8080, 8081
_ACCOUNT = f"system:serviceaccount:{SYSTEM}:{RELEASE}"
# Of a token that was made for a pod: the API server's own word for who it is.
_POD = "authentication.kubernetes.io/pod-name"
# What a process may write that does not lead.
_ANYBODY = frozenset({"leases", "events"})
_REFUSED = 300


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the operator's that was answered, by the pod ``pod``. Times are the API server's."""

    pod: str
    verb: str
    resource: str
    name: str
    code: int
    received: datetime
    answered: datetime
    holder: str

    @property
    def done(self) -> bool:
        return self.code < _REFUSED

    def __str__(self) -> str:
        return f"{self.answered} {self.pod} {self.verb} {self.resource}/{self.name} → {self.code}"


class Replicas:
    """The Deployment `aiop` in the namespace `aiop-system`, and its Lease."""

    def __init__(self, admin: Kubectl, audit_log: Path) -> None:
        self.kubectl = Kubectl(admin.kubeconfig, SYSTEM)
        self._audit_log = audit_log

    def pods(self) -> list[Any]:
        """Those that are not on their way out."""
        found = self.kubectl.items("pods", "-l", "app.kubernetes.io/name=aiop")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, count: int) -> bool:
        """Whether there are so many, all of them ready and nobody else."""
        found = self.pods()
        return len(found) == count and all(map(is_ready, found))

    def leader(self) -> str:
        """The identity of the process that leads; empty if none does."""
        found = self.kubectl.run("get", "lease", LEASE, "-o", "jsonpath={.spec.holderIdentity}")
        return found.stdout.strip()

    def another(self, leader: str) -> str:
        """Wait until another process leads; its identity."""
        return str(
            eventually(lambda: (now := self.leader()) != leader and now, told=lambda: self.kubectl("get", "pods"))
        )

    def fetch(self, pod: str, port: int, path: str) -> str:
        """What that pod answers there, through the API server."""
        return self.kubectl("get", "--raw", f"/api/v1/namespaces/{SYSTEM}/pods/{pod}:{port}/proxy/{path}")

    def metric(self, pod: str, name: str) -> float:
        """A metric without labels, or the sum of all its samples, from that pod; through the API server."""
        lines = self.fetch(pod, METRICS_PORT, "metrics").splitlines()
        samples = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        assert samples, f"{pod} shows no {name}"
        return sum(float(line.rpartition(" ")[2]) for line in samples)

    def story(self) -> list[Write]:
        """Every write of the operator's, in the order in which they were answered."""
        return sorted(self._writes(), key=lambda write: write.answered)

    def _writes(self) -> Iterator[Write]:
        for line in self._lines():
            if not line.endswith("}") or _ACCOUNT not in line:
                continue
            event = json.loads(line)
            if event["stage"] == "ResponseComplete" and event["user"]["username"] == _ACCOUNT:
                yield _write(event)

    def _lines(self) -> Iterator[str]:
        """The log's, after those of an older one that the API server has put aside: `audit-<time>.log`."""
        for file in sorted(self._audit_log.parent.glob("audit*.log")):
            yield from file.read_text(errors="replace").splitlines()


def _write(event: dict[str, Any]) -> Write:
    target, sent = event.get("objectRef", {}), event.get("requestObject") or {}
    resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
    return Write(
        pod=event["user"].get("extra", {}).get(_POD, [""])[0],
        verb=event["verb"],
        resource=resource,
        name=target.get("name", ""),
        code=event["responseStatus"]["code"],
        received=datetime.fromisoformat(event["requestReceivedTimestamp"]),
        answered=datetime.fromisoformat(event["stageTimestamp"]),
        holder=sent.get("spec", {}).get("holderIdentity") or "" if resource == "leases" else "",
    )


def is_ready(pod: Any) -> bool:
    """What kubectl shows in the column READY."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def pod_of(identity: str) -> str:
    """The pod of a process: its host name comes first in the identity."""
    return identity.partition("_")[0]


def claim(story: list[Write], since: datetime, identity: str) -> Write | None:
    """The write by which that process took the Lease; None if there is none."""
    return next((each for each in story if each.done and each.holder == identity and each.received >= since), None)


def work_of(story: list[Write], since: datetime, identity: str) -> list[Write]:
    """What that process got done as a leader once it had taken the Lease: another one of its pod may have before."""
    taken = claim(story, since, identity)
    return work(story, taken.answered, pod_of(identity)) if taken is not None else []


def work(story: list[Write], since: datetime, pod: str) -> list[Write]:
    """What that pod got done since then that only a leader does."""
    return [
        each
        for each in story
        if each.done and each.pod == pod and each.received >= since and each.resource not in _ANYBODY
    ]


def late(story: list[Write]) -> list[Write]:
    """What a pod got done when the Lease was not its own: asked for after another one's claim, or its own release."""
    claims = [each for each in story if each.resource == "leases" and each.done]
    deeds = [each for each in story if each.resource not in _ANYBODY and each.done]
    return [each for each in deeds if _holder(claims, each.received) not in (None, each.pod)]


def _holder(claims: list[Write], moment: datetime) -> str | None:
    """The pod whose claim was the last to be answered by then; None before the first."""
    answered = [claim.holder for claim in claims if claim.answered <= moment]
    return pod_of(answered[-1]) if answered else None
