"""The operator is killed, the API server goes away: work goes on where it was. On a quiet day nothing is written."""

import time

import pytest

from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, wait_for, workload

USER = "system:serviceaccount:aiop-system:aiop"
# How long the API server stays away in a test (the promise is that it may).
GONE_SECONDS = 30.0
# client-go's reflectors, the controller manager's and scheduler's, back off to 30 s, and with jitter to twice that.
OTHERS_RETURN_SECONDS = 120.0
# Quiet for this long; a resync or a hot loop would write within it.
QUIET_SECONDS = 15.0


def writes(cluster: Cluster, namespace: str) -> list[str]:
    """The operator's writes in a namespace, leases and events aside."""
    return [
        f"{event['verb']} {event['objectRef']['resource']}/{event['objectRef'].get('subresource', '')}"
        for event in cluster.writes(USER)
        if event["objectRef"].get("namespace") == namespace and event["objectRef"]["resource"] != "events"
    ]


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8])
def test_killed_in_the_middle_it_goes_on_where_it_was(kubectl: Kubectl, operator: Operator, seconds: float) -> None:
    kubectl.apply(workload(replicas=2))
    time.sleep(seconds)  # not a wait for anything: the moment of death is what varies
    operator.kill()
    operator.start()
    wait_for(kubectl, "Ready", "True")
    assert len(kubectl.items("deployments")) == 1
    assert len(kubectl.items("pods")) == 2


def test_killed_in_a_rollout_it_finishes_the_rollout(kubectl: Kubectl, operator: Operator) -> None:
    kubectl.apply(workload(replicas=2))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(replicas=2, modelVersion="v2"))
    operator.kill()
    operator.start()
    eventually(lambda: kubectl.get("aiworkload", "demo")["status"]["version"] == "v2")
    wait_for(kubectl, "Ready", "True")


def test_the_api_server_may_be_gone_for_half_a_minute(
    kubectl: Kubectl, operator: Operator, cluster: Cluster, bert: str
) -> None:
    if cluster.plane is None:
        pytest.fail("this test takes an API server away: run it on one of its own, without AIOP_TEST_KUBECONFIG")
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    cluster.plane.stop_api_server()
    time.sleep(GONE_SECONDS)  # the outage itself
    cluster.plane.start_api_server_again()
    eventually(lambda: kubectl.run("get", "aiworkload", "demo").returncode == 0)  # served later than it is ready
    kubectl.apply(workload(replicas=2))
    eventually(lambda: kubectl.items("deployments")[0]["spec"]["replicas"] == 2)  # so far it is the operator's work
    eventually(
        lambda: kubectl.get("aiworkload", "demo")["status"].get("readyReplicas") == 2, seconds=OTHERS_RETURN_SECONDS
    )
    wait_for(kubectl, "Ready", "True")
    # A new workload with every kind of child, too: every other controller that it needs has then returned.
    kubectl.apply(bert)
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", f"--timeout={OTHERS_RETURN_SECONDS:.0f}s")


def test_create_to_ready_costs_the_children_and_at_most_three_status_writes(
    kubectl: Kubectl, cluster: Cluster, bert: str
) -> None:
    # A scheduler that comes back from an outage calls pods unschedulable until it knows the claim, and the status would
    # rightly say so: once another workload is ready here, it does.
    kubectl.apply(workload("before"))
    wait_for(kubectl, "Ready", "True", name="before")
    before = _settled(cluster, kubectl.namespace)
    kubectl.apply(bert)
    wait_for(kubectl, "Ready", "True", name="bert-sentiment")
    found = writes(cluster, kubectl.namespace)[len(before) :]
    creates = [write for write in found if write.startswith("create")]
    assert len(creates) == 7, found  # ControllerRevision, Deployment, two Services, Ingress, HPA, PDB
    assert len([write for write in found if write == "patch aiworkloads/status"]) <= 3, found
    assert len(found) <= len(creates) + 3, found


def test_a_quiet_cluster_is_not_written_to(kubectl: Kubectl, cluster: Cluster) -> None:
    for number in range(3):
        kubectl.apply(workload(f"quiet-{number}"))
    for number in range(3):
        wait_for(kubectl, "Ready", "True", name=f"quiet-{number}")
    before = _settled(cluster, kubectl.namespace)
    time.sleep(QUIET_SECONDS)  # the quiet itself
    assert writes(cluster, kubectl.namespace) == before


def test_metrics_have_controller_runtimes_names(kubectl: Kubectl, operator: Operator) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    metrics = operator.fetch(operator.metrics)
    for name in (
        'controller_runtime_reconcile_total{controller="serving",result="success"}',
        'controller_runtime_max_concurrent_reconciles{controller="serving"} 4.0',
        'workqueue_depth{controller="serving",name="serving"',
        'leader_election_master_status{name="aiop-manager"} 1.0',
        "rest_client_requests_total{",
    ):
        assert name in metrics


def test_every_transition_has_an_event(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")

    def reasons() -> set[str]:
        return {
            each["reason"]
            for each in kubectl.items("events.events.k8s.io")
            if each["regarding"]["kind"] == "AIWorkload"
        }

    eventually(lambda: reasons() >= {"Accepted", "RollingOut", "Serving", "RolloutComplete"}, told=reasons)
    assert conditions(kubectl)["Ready"]["status"] == "True"


def _settled(cluster: Cluster, namespace: str) -> list[str]:
    """The writes once nothing is left to tell."""
    found = writes(cluster, namespace)
    while True:
        time.sleep(6.0)  # mere progress is told every five seconds
        again = writes(cluster, namespace)
        if again == found:
            return found
        found = again
