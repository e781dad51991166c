"""kubectl create and its relatives, which send what they make as protobuf."""

import base64
from typing import Any

from support.kubectl import Kubectl, eventually
from unit.sim.server.manifests import deployment


def test_a_deployment_made_by_kubectl_rolls_out(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=serve:1", "--replicas=2", "--port=8080")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    made = kubectl.get("deployment", "web")
    [container] = made["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["ports"][0]["containerPort"]) == ("serve:1", 8080)
    assert made["spec"]["selector"] == {"matchLabels": {"app": "web"}}


def test_a_deployment_of_no_replicas_has_none(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=serve:1", "--replicas=0")
    assert kubectl.get("deployment", "web")["spec"]["replicas"] == 0


def test_a_job_made_by_kubectl_is_waited_for_until_it_is_complete(kubectl: Kubectl) -> None:
    kubectl("create", "job", "sums", "--image=work:1", "--", "add", "1", "2")
    kubectl("wait", "job/sums", "--for=condition=Complete", "--timeout=60s")
    pod = kubectl.get("job", "sums")["spec"]["template"]["spec"]
    assert (pod["restartPolicy"], pod["containers"][0]["command"]) == ("Never", ["add", "1", "2"])


def test_a_namespace_made_by_kubectl_can_be_used(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-more"
    kubectl("create", "namespace", name)
    kubectl("create", "configmap", "settings", "--from-literal=mode=fast", "-n", name)
    assert kubectl.get("configmap", "settings", "-n", name)["data"] == {"mode": "fast"}


def test_a_secret_made_by_kubectl_keeps_its_bytes(kubectl: Kubectl) -> None:
    kubectl("create", "secret", "generic", "token", "--from-literal=key=s3cret")
    secret = kubectl.get("secret", "token")
    assert (secret["type"], base64.b64decode(secret["data"]["key"])) == ("Opaque", b"s3cret")


def test_a_service_made_by_kubectl_has_its_ports(kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    spec = kubectl.get("service", "web")["spec"]
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(80, 8080)]
    assert spec["selector"] == {"app": "web"}


def test_roles_made_by_kubectl_have_their_rules_and_subjects(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=aiworkloads.geartickler.com")
    account = f"--serviceaccount={kubectl.namespace}:reader"
    kubectl("create", "rolebinding", "reader", "--role=reader", account)
    assert kubectl.get("role", "reader")["rules"] == [
        {"verbs": ["get", "list"], "apiGroups": ["geartickler.com"], "resources": ["aiworkloads"]}
    ]
    binding = kubectl.get("rolebinding", "reader")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "reader", "namespace": kubectl.namespace}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}


def test_a_disruption_budget_made_by_kubectl_takes_counts_and_shares(kubectl: Kubectl) -> None:
    kubectl("create", "poddisruptionbudget", "few", "--selector=app=web", "--min-available=1")
    kubectl("create", "poddisruptionbudget", "half", "--selector=app=web", "--max-unavailable=50%")
    assert kubectl.get("pdb", "few")["spec"] == {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    assert kubectl.get("pdb", "half")["spec"]["maxUnavailable"] == "50%"


def test_what_is_not_read_from_protobuf_is_refused_and_not_lost(kubectl: Kubectl) -> None:
    told = kubectl.refusal("create", "ingress", "web", "--rule=web.test/*=web:80")
    assert "Ingress is not read from protobuf here: send JSON" in told


def test_a_drained_node_is_left_by_its_pods(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("moved", gpus=1))
    kubectl("rollout", "status", "deployment/moved", "--timeout=60s")
    node = _node(kubectl)
    try:
        kubectl("drain", node, "--pod-selector=app=moved", "--timeout=60s")
        eventually(lambda: _node(kubectl) not in {"", node}, told=lambda: kubectl("get", "pods", "-o", "wide"))
    finally:
        kubectl("uncordon", node)


def _node(kubectl: Kubectl) -> str:
    """Where the pod that stays is."""
    staying: list[Any] = [pod for pod in kubectl.items("pods") if "deletionTimestamp" not in pod["metadata"]]
    return str(staying[0]["spec"].get("nodeName", "")) if staying else ""
