"""The chart on the real API server: installed, upgraded, rolled back, removed, and installed again."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack.generated.chart import SCHEMA_MARK
from support.controlplane import Cluster
from support.helm import CHART, OLD_CHART, Helm
from support.kubectl import Kubectl, eventually
from support.workloads import restricted_namespace

DEFINITIONS = ("aiworkloads.geartickler.com", "servingruntimes.geartickler.com")
# No image can be pulled here.
IDLE = ("--set", "replicaCount=0")
_numbers = itertools.count(1)


@pytest.fixture
def admin(empty_cluster: Cluster) -> Iterator[Kubectl]:
    """An administrator's kubectl; each test finds and leaves the cluster without CRDs."""
    kubectl = Kubectl(empty_cluster.kubeconfig)
    yield kubectl
    eventually(lambda: all(cached(kubectl, each["spec"]["names"]["plural"]) for each in kubectl.items("crd")))
    kubectl("delete", "crd", "--all")


def cached(kubectl: Kubectl, kind: str) -> bool:
    """Whether the API server's cache of a kind is filled; a CRD that is deleted before that stays for minutes."""
    return kubectl.run("get", "--raw", f"/apis/geartickler.com/v1alpha1/{kind}?resourceVersion=0").returncode == 0


@pytest.fixture
def helm(empty_cluster: Cluster, admin: Kubectl) -> Iterator[Helm]:
    """helm in a namespace of its own that enforces restricted pods; its releases are gone afterwards."""
    yield from releases(empty_cluster, admin)


@pytest.fixture
def elsewhere(empty_cluster: Cluster, admin: Kubectl) -> Iterator[Helm]:
    """helm in another namespace."""
    yield from releases(empty_cluster, admin)


def releases(cluster: Cluster, admin: Kubectl) -> Iterator[Helm]:
    name = f"release-{next(_numbers)}"
    admin.apply(restricted_namespace(name))
    helm = Helm(cluster.kubeconfig, name)
    yield helm
    for release in json.loads(helm("list", "--output", "json")):
        helm("uninstall", release["name"])
    admin("delete", "namespace", name, "--wait=false")


def inside(admin: Kubectl, helm: Helm) -> Kubectl:
    return Kubectl(admin.kubeconfig, helm.namespace)


def manager(kubectl: Kubectl) -> Any:
    (deployment,) = kubectl.items("deployments")
    return deployment["spec"]["template"]["spec"]["containers"][0]


def owners(admin: Kubectl) -> set[tuple[str, str]]:
    """Release and namespace to which the CRDs belong."""
    found = [admin.get("crd", name)["metadata"]["annotations"] for name in DEFINITIONS]
    return {(each["meta.helm.sh/release-name"], each["meta.helm.sh/release-namespace"]) for each in found}


def marks(admin: Kubectl) -> list[str | None]:
    """Which schemas the cluster has."""
    return [admin.get("crd", name)["metadata"]["annotations"].get(SCHEMA_MARK) for name in DEFINITIONS]


def left_behind(admin: Kubectl, release: str) -> list[str]:
    """Objects of any kind that carry the release's label."""
    kinds = admin("api-resources", "--verbs=list,delete", "-o", "name").split()
    label = f"app.kubernetes.io/instance={release}"
    return admin("get", ",".join(kinds), "--all-namespaces", "-l", label, "-o", "name", "--ignore-not-found").split()


def test_an_upgrade_from_the_first_version_upgrades_the_definitions_and_keeps_workloads(
    admin: Kubectl, helm: Helm, bert: str
) -> None:
    helm("install", "first", OLD_CHART, *IDLE)
    mine = inside(admin, helm)
    mine.apply(bert)
    before = mine.get("aiworkload", "bert-sentiment")
    assert marks(admin) == [None, None]

    helm("upgrade", "first", CHART, *IDLE, "--set", "models.store=pvc://models")
    assert None not in marks(admin)
    assert "--model-store=pvc://models" in manager(mine)["args"]
    after = mine.get("aiworkload", "bert-sentiment")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert before["spec"].items() <= after["spec"].items()  # a field that is new may have a default


def test_a_rollback_to_the_first_version_keeps_workloads_and_can_be_upgraded_again(
    admin: Kubectl, helm: Helm, bert: str
) -> None:
    helm("install", "first", OLD_CHART, *IDLE)
    mine = inside(admin, helm)
    old = manager(mine)
    helm("upgrade", "first", CHART, *IDLE)
    mine.apply(bert)
    before = mine.get("aiworkload", "bert-sentiment")
    assert manager(mine)["image"] != old["image"]

    helm("rollback", "first", "1")
    assert manager(mine) == old
    assert mine.items("networkpolicies") == []
    assert mine.get("aiworkload", "bert-sentiment")["metadata"]["uid"] == before["metadata"]["uid"]

    helm("upgrade", "first", CHART, *IDLE)
    assert None not in marks(admin)
    assert before["spec"].items() <= mine.get("aiworkload", "bert-sentiment")["spec"].items()


def test_values_of_the_first_version_alone_are_refused_with_the_way_out(helm: Helm) -> None:
    helm("install", "first", OLD_CHART, *IDLE, "--set", "workers=8")
    assert "--reset-then-reuse-values" in helm.refusal("upgrade", "first", CHART, "--reuse-values")
    helm("upgrade", "first", CHART, "--reset-then-reuse-values")
    assert json.loads(helm("get", "values", "first", "--output", "json")) == {"replicaCount": 0, "workers": 8}


def test_a_release_fits_into_its_secret_with_everything_in_it(admin: Kubectl, helm: Helm) -> None:
    helm("install", "first", CHART, *IDLE, "--set", "metrics.dashboards.create=true")
    secret = inside(admin, helm).get("secret", "sh.helm.release.v1.first.v1")
    assert len(secret["data"]["release"]) < 1024 * 1024 // 2, "a Secret holds 1 MiB, and the chart is to grow"


def test_an_uninstall_leaves_the_definitions_and_the_workloads_and_nothing_else(
    admin: Kubectl, helm: Helm, bert: str
) -> None:
    helm("install", "first", CHART, "--set", "replicaCount=2,priorityClass.create=true")
    mine = inside(admin, helm)
    mine.apply(bert)
    assert len(left_behind(admin, "first")) > 15
    helm("uninstall", "first")
    wanted = {f"customresourcedefinition.apiextensions.k8s.io/{name}" for name in DEFINITIONS}
    eventually(lambda: set(left_behind(admin, "first")) == wanted, told=lambda: left_behind(admin, "first"))
    assert mine.get("aiworkload", "bert-sentiment")["spec"]["modelName"] == "bert-base-uncased"


def test_the_definitions_go_with_the_release_where_the_values_say_so(admin: Kubectl, helm: Helm) -> None:
    helm("install", "first", CHART, *IDLE, "--set", "crds.keep=false")
    assert None not in marks(admin)
    eventually(lambda: cached(admin, "aiworkloads") and cached(admin, "servingruntimes"))
    helm("uninstall", "first")
    eventually(lambda: admin.items("crd") == [])


def test_a_reinstall_under_another_name_and_namespace_needs_no_option(
    admin: Kubectl, helm: Helm, elsewhere: Helm, bert: str
) -> None:
    helm("install", "first", CHART, *IDLE)
    inside(admin, helm).apply(bert)
    helm("uninstall", "first")

    said = elsewhere("install", "second", CHART, *IDLE)
    assert f"belongs to the release first of the namespace {helm.namespace}" in said
    assert "--take-ownership" in said
    elsewhere("upgrade", "second", CHART, *IDLE, "--set", "workers=8")
    assert "--workers=8" in manager(inside(admin, elsewhere))["args"]
    assert owners(admin) == {("first", helm.namespace)}
    assert inside(admin, helm).get("aiworkload", "bert-sentiment")


def test_old_definitions_of_another_release_are_refused_until_they_are_taken_over(
    admin: Kubectl, helm: Helm, elsewhere: Helm, bert: str
) -> None:
    helm("install", "first", OLD_CHART, *IDLE)
    inside(admin, helm).apply(bert)
    helm("uninstall", "first")

    said = elsewhere.refusal("install", "second", CHART, *IDLE)
    assert 'CustomResourceDefinition "aiworkloads.geartickler.com"' in said
    assert 'current value is "first"' in said
    assert marks(admin) == [None, None]

    elsewhere("install", "second", CHART, *IDLE, "--take-ownership")
    assert None not in marks(admin)
    assert owners(admin) == {("second", elsewhere.namespace)}
    assert inside(admin, helm).get("aiworkload", "bert-sentiment")
    elsewhere("upgrade", "second", CHART, *IDLE)  # from now on without the option


@pytest.mark.parametrize("beside", [True, False], ids=["in the same namespace", "in another namespace"])
def test_a_second_operator_of_all_namespaces_is_refused_by_name(
    admin: Kubectl, helm: Helm, elsewhere: Helm, *, beside: bool
) -> None:
    helm("install", "first", CHART, *IDLE)
    said = (helm if beside else elsewhere).refusal("install", "second", CHART, *IDLE)
    assert "operator-of-all-namespaces" in said
    assert 'current value is "first"' in said


def watching(*namespaces: str) -> tuple[str, ...]:
    return (*IDLE, "--set", f"watchNamespaces={{{','.join(namespaces)}}}")


def test_operators_of_different_namespaces_live_side_by_side(admin: Kubectl, helm: Helm, elsewhere: Helm) -> None:
    helm("install", "first", CHART, *watching(helm.namespace))
    helm("install", "second", CHART, *watching(elsewhere.namespace))
    assert owners(admin) == {("first", helm.namespace)}
    said = helm.refusal("upgrade", "second", CHART, *watching(helm.namespace, elsewhere.namespace))
    assert 'Role "geartickler.com:operator"' in said
    assert 'current value is "first"' in said


def test_an_operator_of_all_namespaces_is_refused_beside_one_of_some(helm: Helm, elsewhere: Helm) -> None:
    helm("install", "first", CHART, *watching(helm.namespace))
    said = elsewhere.refusal("install", "second", CHART, *IDLE)
    assert f"the release first of the namespace {helm.namespace} sees to the namespace {helm.namespace} already" in said
    helm("upgrade", "first", CHART, *IDLE)  # one that becomes the other is alone


def test_an_operator_of_some_namespaces_is_refused_beside_one_of_all(helm: Helm, elsewhere: Helm) -> None:
    helm("install", "first", CHART, *IDLE)
    said = elsewhere.refusal("install", "second", CHART, *watching(elsewhere.namespace))
    assert f"the release first of the namespace {helm.namespace} sees to all namespaces already" in said
    helm("upgrade", "first", CHART, *watching(helm.namespace))


def test_the_pods_are_admitted_where_pods_must_be_restricted(admin: Kubectl, helm: Helm) -> None:
    helm("install", "first", CHART, "--set", "replicaCount=2")
    mine = inside(admin, helm)
    pods = eventually(lambda: len(found := mine.items("pods")) == 2 and found, told=lambda: mine("get", "events"))
    assert all(pod["spec"]["securityContext"]["runAsNonRoot"] for pod in pods)


def test_the_test_of_a_release_is_a_pod_that_is_admitted_too(admin: Kubectl, helm: Helm) -> None:
    helm("install", "first", CHART, *IDLE)
    hooks = [each for each in yaml.safe_load_all(helm("get", "hooks", "first")) if each]
    assert [each["kind"] for each in hooks] == ["Pod"]
    assert "created (server dry run)" in inside(admin, helm)(
        "create", "--dry-run=server", "-f", "-", stdin=json.dumps(hooks[0])
    )


def test_the_workload_that_the_notes_show_is_accepted(admin: Kubectl, helm: Helm) -> None:
    said = helm("install", "first", CHART, *IDLE)
    _, manifest, _ = re.split(r"<<EOF$|^ *EOF$", said, maxsplit=2, flags=re.MULTILINE)
    assert inside(admin, helm).apply(manifest).strip() == "aiworkload.geartickler.com/iris created"
