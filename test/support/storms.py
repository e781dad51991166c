"""A small kind, what is needed to operate it, and what must be true in the end, whatever happened on the way."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.controlplane.launch import ControlPlane
from support.controlplane import Cluster, with_token
from support.kubectl import eventually
from support.operator import Operator, running
from support.rest import Rest
from support.smalloperator import GROUP, LABEL, STORMS

_TESTS = Path(__file__).parents[1]
ROLE = "storm-operator"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# A fifth of what Kubernetes' components use, so that a lost lease costs a test seconds.
QUICK_LEASE = "3/2/0.5/1"
# What they use.
USUAL_LEASE = "15/10/2/5"
QUIET_SECONDS = 2.0
OBJECTS = 20

DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{STORMS.plural}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": STORMS.plural, "singular": "storm", "kind": STORMS.kind, "listKind": "StormList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"text": {"type": "string"}, "wanted": {"type": "boolean"}},
                            },
                            "status": {
                                "type": "object",
                                "properties": {
                                    "observedGeneration": {"type": "integer"},
                                    "text": {"type": "string"},
                                    "foreign": {"type": "boolean"},
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}

_RULES: list[dict[str, Any]] = [
    {"apiGroups": [GROUP], "resources": ["storms", "storms/status"], "verbs": ["get", "list", "watch", "patch"]},
    {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "verbs": ["get", "list", "watch", "create", "patch", "delete"],
    },
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "list", "watch", "create", "update"],
    },
    # For blockOwnerDeletion.
    {"apiGroups": [GROUP], "resources": ["storms/finalizers"], "verbs": ["update"]},
]


def storm(name: str, text: str = "calm", *, wanted: bool = True) -> dict[str, Any]:
    return {
        "apiVersion": STORMS.api_version,
        "kind": STORMS.kind,
        "metadata": {"name": name},
        "spec": {"text": text, "wanted": wanted},
    }


def install(rest: Rest) -> None:
    """The kind, and the role of its operator; returns once the kind is served."""
    answer = rest.call("POST", DEFINITIONS, DEFINITION)
    assert answer.status in {201, 409}, answer.body
    role = {"metadata": {"name": ROLE}, "rules": _RULES}
    assert rest.call("POST", f"{_RBAC}/clusterroles", role).status in {201, 409}
    eventually(lambda: rest.call("GET", STORMS.path()).status == 200)


class SmallOperator(Operator):
    """`support.smalloperator` as a process."""

    program = ("support.smalloperator",)

    def __init__(self, kubeconfig: Path, log: Path, *arguments: str) -> None:
        super().__init__(kubeconfig, log, *arguments)
        self.kubeconfig = kubeconfig
        self.environment = {"PYTHONPATH": os.pathsep.join(filter(None, (str(_TESTS), os.environ.get("PYTHONPATH"))))}

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it is started with."""
        return self._arguments

    def options(self, *arguments: str) -> None:
        """More arguments from the next start on; a later one of the same name counts."""
        self._arguments = (*self._arguments, *arguments)

    def said(self) -> list[dict[str, Any]]:
        """Its log so far, as objects."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def said_of(self, words: str) -> list[dict[str, Any]]:
        """The lines of its log that hold ``words`` somewhere."""
        return [line for line in self.said() if any(words in str(value) for value in line.values())]

    def leads(self) -> bool:
        """What the metrics say."""
        lines = self.fetch(self.metrics).splitlines()
        return any(line.startswith("leader_election_master_status{") and line.endswith(" 1.0") for line in lines)

    def resident_bytes(self) -> int:
        """The process's resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def metric(self, sample: str) -> float:
        """The value of the sample that begins so, labels included."""
        lines = self.fetch(self.metrics).splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{sample} ")), 0.0)


@dataclass(frozen=True, slots=True)
class Sea:
    """A namespace of a test's own with Storms in it."""

    cluster: Cluster
    rest: Rest
    namespace: str

    @property
    def plane(self) -> ControlPlane:
        """The control plane, which is a test's own."""
        assert self.cluster.plane is not None
        return self.cluster.plane

    @contextmanager
    def operated(self, folder: Path, *arguments: str) -> Iterator[SmallOperator]:
        """The operator at work here, with no proxy between, for as long as the context lasts."""
        folder.mkdir()
        kubeconfig = with_token(self.cluster.kubeconfig, folder / "kubeconfig", self.token())
        lease = ["--namespace", self.namespace, "--lease", f"{self.namespace}/operator", "--lease-times", QUICK_LEASE]
        with running(SmallOperator(kubeconfig, folder / "log", *lease, *arguments)) as operator:
            operator.start()
            yield operator

    def serves(self) -> None:
        """Wait until the API server serves Storms again, which is later than it is ready."""
        eventually(lambda: self.rest.call("GET", self.storms).status == 200)

    @property
    def storms(self) -> str:
        return STORMS.path(self.namespace)

    @property
    def maps(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    def user(self, account: str = "operator") -> str:
        """What the audit log calls a ServiceAccount of here."""
        return f"system:serviceaccount:{self.namespace}:{account}"

    def stored_key(self, name: str) -> str:
        """Under which etcd keeps a Storm of here."""
        return f"{GROUP}/{STORMS.plural}/{self.namespace}/{name}"

    def stored(self, name: str, *, wanted: bool) -> tuple[str, dict[str, Any]]:
        """A Storm as etcd keeps it; one that wants nothing has a status that says so already."""
        each = storm(name, wanted=wanted)
        each["metadata"] |= {
            "namespace": self.namespace,
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        if not wanted:
            each["status"] = {"observedGeneration": 1, "text": each["spec"]["text"], "foreign": False}
        return self.stored_key(name), each

    def give_rights(self, account: str = "operator") -> None:
        """The operator's role in this namespace."""
        subject = {"kind": "ServiceAccount", "name": account, "namespace": self.namespace}
        binding = {
            "metadata": {"name": account},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
            "subjects": [subject],
        }
        self.rest.create(f"{_RBAC}/namespaces/{self.namespace}/rolebindings", binding)

    def take_rights(self, account: str = "operator") -> None:
        self.rest.delete(f"{_RBAC}/namespaces/{self.namespace}/rolebindings/{account}")

    def token(self, account: str = "operator") -> str:
        """A ServiceAccount with the operator's rights, and a token of its own."""
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        self.rest.create(accounts, {"metadata": {"name": account}})
        self.give_rights(account)
        asked = {"spec": {"expirationSeconds": 7200}}
        token: str = self.rest.create(f"{accounts}/{account}/token", asked)["status"]["token"]
        return token

    def make(self, name: str, text: str = "calm", *, wanted: bool = True) -> None:
        self.rest.create(self.storms, storm(name, text, wanted=wanted))

    def change(self, name: str, **spec: Any) -> None:
        self.rest.merge(f"{self.storms}/{name}", {"spec": spec})

    def make_changes(self) -> None:
        """Objects made, changed, no longer wanted, wanted again, removed, and made again under the same name."""
        names = [f"s{number}" for number in range(OBJECTS)]
        for name in names:
            self.make(name)
        for number, name in enumerate(names):
            self.change(name, text=f"wind {number}", wanted=number % 3 != 0)
        for name in names[::5]:
            self.change(name, wanted=True)
        for name in names[1::5]:
            self.remove(name)
        for name in names[1::10]:
            self.make(name, "again")

    def remove(self, name: str) -> None:
        self.rest.delete(f"{self.storms}/{name}")

    def children(self) -> list[str]:
        """The names of all ConfigMaps that Storms have or had."""
        return [each["metadata"]["name"] for each in self.rest.items(f"{self.maps}?labelSelector={LABEL}")]

    def differences(self) -> list[str]:
        """What is not as a day without faults would have left it."""
        storms = {each["metadata"]["name"]: each for each in self.rest.items(self.storms)}
        maps = {each["metadata"]["name"]: each for each in self.rest.items(f"{self.maps}?labelSelector={LABEL}")}
        found = [f"{name}: its ConfigMap is nobody's" for name in maps if name not in storms]
        return found + [f"{name}: {wrong}" for name, each in storms.items() if (wrong := _wrong(each, maps.get(name)))]

    def converges(self, *, seconds: float = 60.0) -> None:
        """Wait until everything is as it should be."""
        eventually(lambda: not self.differences(), seconds=seconds, told=lambda: self.differences()[:5])

    def writes(self, account: str = "operator") -> list[str]:
        """The successful writes of an account, elections left aside."""
        return [
            f"{event['verb']} {event['objectRef']['resource']}/{event['objectRef'].get('name', '')}"
            for event in self.cluster.writes(self.user(account))
            if event["objectRef"]["resource"] != "leases"
        ]

    def stays_quiet(self, *accounts: str) -> None:
        """When all is as it should be, nothing is written any more."""
        told = [self.writes(account) for account in accounts or ("operator",)]
        time.sleep(QUIET_SECONDS)  # the quiet itself
        now = [self.writes(account) for account in accounts or ("operator",)]
        assert now == told, [after[len(before) :] for before, after in zip(told, now, strict=True)]


def _wrong(each: dict[str, Any], config_map: dict[str, Any] | None) -> str:
    meta, spec, status = each["metadata"], each["spec"], each.get("status", {})
    if status.get("observedGeneration") != meta["generation"] or status.get("text") != spec["text"]:
        return f"generation {meta['generation']} is not observed: {status}"
    if not spec["wanted"]:
        return "" if config_map is None else "its ConfigMap should be gone"
    if config_map is None:
        return "it has no ConfigMap"
    owners = [owner["uid"] for owner in config_map["metadata"].get("ownerReferences", [])]
    if owners != [meta["uid"]]:
        return "its ConfigMap is another's"
    data = {"text": spec["text"], "generation": str(meta["generation"])}
    return "" if config_map["data"] == data else f"its ConfigMap says {config_map['data']}"
