"""Who names a Secret or a ServiceAccount in an AIWorkload must have the right to it, on the real API server."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.controlplane import Cluster
from support.kubectl import Kubectl, KubectlFailed, eventually
from support.references import naming
from support.workloads import workload

pytestmark = pytest.mark.security(4)
SECRET, OTHER = "mine", "not-mine"
# As many names as can be asked for one by one.
CHECKED = 16
_numbers = itertools.count(1)
_OURS = {"apiGroups": ["geartickler.com"], "resources": ["aiworkloads", "aiworkloads/scale"]}
_ALL = ["get", "list", "create", "update", "patch", "delete"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A user of one namespace; may do with AIWorkloads what he likes, and whatever is granted to him beside."""

    admin: Kubectl
    name: str

    def grant(self, *rules: dict[str, Any]) -> None:
        """These rules, and no others but for AIWorkloads."""
        metadata = {"name": self.name}
        api = "rbac.authorization.k8s.io"
        self.admin.apply(
            {
                "apiVersion": f"{api}/v1",
                "kind": "Role",
                "metadata": metadata,
                "rules": [{**_OURS, "verbs": _ALL}, *rules],
            }
        )
        self.admin.apply(
            {
                "apiVersion": f"{api}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": api, "kind": "Role", "name": self.name},
                "subjects": [{"apiGroup": api, "kind": "User", "name": self.name}],
            }
        )
        eventually(lambda: all(self._may(rule) for rule in ({**_OURS, "verbs": ["create"]}, *rules)))

    def _may(self, rule: dict[str, Any]) -> bool:
        for name in rule.get("resourceNames", [""]):
            target = f"{rule['resources'][0]}{f'/{name}' if name else ''}"
            if self.admin.run("auth", "can-i", rule["verbs"][0], target, f"--as={self.name}").returncode:
                return False
        return True

    def create(self, manifest: dict[str, Any]) -> str:
        return self.admin("create", f"--as={self.name}", "-f", "-", stdin=json.dumps(manifest))

    def refusal(self, manifest: dict[str, Any]) -> str:
        words = self.admin.refusal("create", f"--as={self.name}", "-f", "-", stdin=json.dumps(manifest))
        assert "Forbidden" in words
        return words

    def __call__(self, *arguments: str) -> str:
        return self.admin(*arguments, f"--as={self.name}")


@pytest.fixture
def namespace(cluster: Cluster, admin: Kubectl, installed: None) -> Iterator[Kubectl]:
    """An administrator's kubectl in a namespace of the test's own."""
    name = f"references-{next(_numbers)}"
    admin("create", "namespace", name)
    yield Kubectl(cluster.kubeconfig, name)
    admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def tenant(namespace: Kubectl) -> Tenant:
    """He may read one Secret."""
    made = Tenant(namespace, "tenant")
    made.grant(reading(SECRET))
    eventually(lambda: _is_enforced(made))
    return made


def _is_enforced(tenant: Tenant) -> bool:
    """The API server takes a policy up a moment after it was made."""
    try:
        tenant.create(workload("probe", imagePullSecrets=[{"name": OTHER}]))
    except KubectlFailed:
        return True
    tenant("delete", "aiworkload", "probe")
    return False


def reading(*names: str) -> dict[str, Any]:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    return {**rule, "resourceNames": list(names)} if names else rule


@pytest.mark.parametrize("path", naming(SECRET))
def test_a_secret_that_the_tenant_may_not_read_is_refused_in_each_field_with_field_name_and_fix(
    tenant: Tenant, path: str
) -> None:
    field, spec = naming(OTHER)[path]
    words = tenant.refusal(workload(**spec))
    assert f'{field} names the Secret "{OTHER}"' in words
    assert f'verb get on secrets, resourceNames ["{OTHER}"]' in words


@pytest.mark.parametrize("path", naming(SECRET))
def test_a_secret_that_the_tenant_may_read_can_be_named_in_each_field(tenant: Tenant, path: str) -> None:
    _, spec = naming(SECRET)[path]
    assert "created" in tenant.create(workload(**spec))


def test_one_secret_among_several_is_enough_for_a_refusal(tenant: Tenant) -> None:
    pulled = [{"name": SECRET}, {"name": OTHER}]
    assert f'spec.imagePullSecrets[1] names the Secret "{OTHER}"' in tenant.refusal(workload(imagePullSecrets=pulled))


def test_the_right_to_a_secret_elsewhere_is_none_here(tenant: Tenant, admin: Kubectl) -> None:
    elsewhere = f"{tenant.admin.namespace}-elsewhere"
    admin("create", "namespace", elsewhere)
    Tenant(Kubectl(admin.kubeconfig, elsewhere), tenant.name).grant(reading(OTHER))
    try:
        assert OTHER in tenant.refusal(workload(credentials={"secretName": OTHER}))
    finally:
        admin("delete", "namespace", elsewhere, "--wait=false")


class TestOfAnothersReferences:
    """A workload that an administrator made, who named what the tenant may not read."""

    @pytest.fixture
    def made(self, tenant: Tenant) -> dict[str, Any]:
        manifest = workload(
            env=naming(OTHER)["AIWorkload: spec.env[].valueFrom.secretKeyRef"][1]["env"], serviceAccountName="robot"
        )
        tenant.admin.apply(manifest)
        return manifest

    def change(self, tenant: Tenant, **spec: Any) -> str:
        return tenant("patch", "aiworkload", "demo", "--type=merge", "-p", json.dumps({"spec": spec}))

    @pytest.mark.usefixtures("made")
    def test_labels_annotations_and_scale_can_be_changed(self, tenant: Tenant) -> None:
        tenant("label", "aiworkload", "demo", "team=vision")
        tenant("annotate", "aiworkload", "demo", "contact=vision@example.com")
        tenant("scale", "aiworkload", "demo", "--replicas=3")
        assert tenant.admin.get("aiworkload", "demo")["spec"]["replicas"] == 3

    def test_applying_it_again_is_no_change(self, tenant: Tenant, made: dict[str, Any]) -> None:
        tenant.admin("apply", f"--as={tenant.name}", "-f", "-", stdin=json.dumps(made))
        made["metadata"]["labels"] = {"team": "vision"}
        tenant.admin("apply", f"--as={tenant.name}", "-f", "-", stdin=json.dumps(made))
        found = tenant.admin.get("aiworkload", "demo")["metadata"]
        assert (found["generation"], found["labels"]) == (1, {"team": "vision"})

    @pytest.mark.usefixtures("made")
    @pytest.mark.parametrize(
        "spec",
        [
            {"replicas": 2},
            {"modelVersion": "v2"},
            {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
            {"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 2, "targetCPUUtilization": 50}},
            {"nodeSelector": {"disk": "fast"}},
        ],
        ids=lambda spec: next(iter(spec)),
    )
    def test_what_says_nothing_of_what_runs_can_be_changed(self, tenant: Tenant, spec: dict[str, Any]) -> None:
        assert "patched" in self.change(tenant, **spec)

    @pytest.mark.usefixtures("made")
    @pytest.mark.parametrize(
        "spec",
        [
            {"image": "registry.example/reads-the-environment:1"},
            {"args": ["--print-environment"]},
            {"modelUri": "https://thief.example/model"},
            {"modelName": "thief/model"},
            {"runtime": "another"},
            {"probes": {"liveness": {"type": "Exec", "command": ["send", "$(TOKEN)"]}}},
            {"versions": [{"name": "v1", "image": "registry.example/reads-the-environment:1"}]},
            {"env": [{"name": "LD_PRELOAD", "value": "/models/own.so"}]},
        ],
        ids=lambda spec: next(iter(spec)),
    )
    def test_what_would_see_the_secret_can_not_be_changed(
        self, tenant: Tenant, made: dict[str, Any], spec: dict[str, Any]
    ) -> None:
        if "env" in spec:
            spec = {"env": [*spec["env"], *made["spec"]["env"]]}
        words = tenant.admin.refusal(
            "patch", "aiworkload", "demo", f"--as={tenant.name}", "--type=merge", "-p", json.dumps({"spec": spec})
        )
        assert f'names the Secret "{OTHER}"' in words

    @pytest.mark.usefixtures("made")
    def test_leaving_the_references_out_is_allowed(self, tenant: Tenant) -> None:
        assert "patched" in self.change(tenant, env=None, serviceAccountName=None, image="registry.example/own:1")

    @pytest.mark.usefixtures("made")
    def test_it_can_be_deleted(self, tenant: Tenant) -> None:
        assert "deleted" in tenant("delete", "aiworkload", "demo")


def test_a_serviceaccount_can_be_named_by_who_may_run_pods_or_be_it(tenant: Tenant) -> None:
    robot = workload(serviceAccountName="robot")
    words = tenant.refusal(robot)
    assert 'spec.serviceAccountName names the ServiceAccount "robot"' in words
    assert "create pods or to impersonate it" in words
    tenant.grant(
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"], "resourceNames": ["other"]}
    )
    assert "robot" in tenant.refusal(robot)
    tenant.grant(
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"], "resourceNames": ["robot"]}
    )
    assert "created" in tenant.create(robot)
    tenant.grant({"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]})
    assert "created" in tenant.create(workload("second", serviceAccountName="robot"))


def record(name: str, **labels: str) -> dict[str, Any]:
    """What the operator would deploy, if it is a workload's."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": name, "labels": labels},
        "data": {"pod": {"hostPID": True}},
        "revision": 1,
    }


@pytest.mark.security(14)
def test_a_record_of_what_runs_can_be_written_by_who_may_run_it(tenant: Tenant) -> None:
    verbs = ["create", "get", "update", "patch"]
    writing = {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": verbs}
    mine = {"geartickler.com/aiworkload": "demo"}
    tenant.grant(writing)
    assert "says which pods the operator makes" in tenant.refusal(record("forged", **mine))
    tenant.create(record("plain"))
    tenant("annotate", "controllerrevision", "plain", "a=b")
    change = ("label", "controllerrevision", "plain", "geartickler.com/aiworkload=demo")
    assert "says which pods the operator makes" in tenant.admin.refusal(*change, f"--as={tenant.name}")
    tenant.grant(writing, {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]})
    assert "created" in tenant.create(record("own", **mine))


@pytest.mark.security(14)
@pytest.mark.parametrize("cascade", ["foreground", "orphan"])
def test_the_garbage_collector_does_its_work_on_records(namespace: Kubectl, cascade: str) -> None:
    namespace.apply(workload())
    owner = namespace.get("aiworkload", "demo")["metadata"]
    made = record("demo-0123456789", **{"geartickler.com/aiworkload": "demo"})
    reference = {"apiVersion": "geartickler.com/v1alpha1", "kind": "AIWorkload", "name": "demo", "uid": owner["uid"]}
    made["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True}]
    namespace("create", "-f", "-", stdin=json.dumps(made))
    namespace("delete", "aiworkload", "demo", f"--cascade={cascade}", "--timeout=120s")
    left = [each["metadata"].get("ownerReferences", []) for each in namespace.items("controllerrevisions")]
    assert left == ([] if cascade == "foreground" else [[]])


def largest(names: list[str]) -> dict[str, Any]:
    """Every list that can name Secrets, as long as the schema lets it be; the names in turn."""
    turn = itertools.cycle(names)

    def variables() -> list[dict[str, Any]]:
        sources = [{"secretKeyRef": {"name": next(turn), "key": "k"}} for _ in range(64)]
        return [{"name": f"V{number}", "valueFrom": source} for number, source in enumerate(sources)]

    return workload(
        env=variables(),
        versions=[{"name": f"v{number}", "env": variables()} for number in range(16)],
        envFrom=[{"secretRef": {"name": next(turn)}} for _ in range(16)],
        imagePullSecrets=[{"name": name} for name in names[:8]],
        credentials={"secretName": names[0]},
        inferenceEndpoint="/demo",
        ingress={"host": "demo.example.com", "tlsSecretName": names[1]},
    )


def long_names(count: int) -> list[str]:
    """Of 253 characters, which differ at their ends."""
    return [f"{'s' * 248}-{number:04}" for number in range(count)]


class TestListsAtTheirBounds:
    """What a policy may cost is bounded: the largest object must be judged, not refused for its size."""

    def test_as_many_names_as_can_be_asked_for_are_admitted_by_name(self, tenant: Tenant) -> None:
        names = long_names(CHECKED)
        tenant.grant(reading(*names))
        assert "created" in tenant.create(largest(names))

    def test_one_of_them_without_the_right_is_refused(self, tenant: Tenant) -> None:
        names = long_names(CHECKED)
        tenant.grant(reading(*names[:-1]))
        assert f'names the Secret "{names[-1]}"' in tenant.refusal(largest(names))

    def test_one_more_is_refused_with_what_would_do(self, tenant: Tenant) -> None:
        names = long_names(CHECKED + 1)
        tenant.grant(reading(*names))
        words = tenant.refusal(largest(names))
        assert f'names the Secret "{names[-1]}", the {CHECKED + 1}th' in words
        assert "ask for the right to get all Secrets of the namespace" in words

    def test_who_may_read_all_secrets_names_as_many_as_he_likes(self, tenant: Tenant) -> None:
        tenant.grant(reading())
        assert "created" in tenant.create(largest(long_names(1106)))

    def test_who_may_read_none_is_refused_for_the_first(self, tenant: Tenant) -> None:
        assert "spec.env[0].valueFrom.secretKeyRef names the Secret" in tenant.refusal(largest(long_names(1106)))

    def test_an_update_of_the_largest_that_changes_nothing_of_it_passes(self, tenant: Tenant) -> None:
        tenant.admin("create", "-f", "-", stdin=json.dumps(largest(long_names(1106))))
        tenant("label", "aiworkload", "demo", "team=vision")
