"""No Service has the address of another, whoever asks for it."""

from support.kubectl import Kubectl

PORT = ["--tcp=80"]


def test_a_service_cannot_claim_the_address_of_another(kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "web", *PORT)
    address = kubectl.get("service", "web")["spec"]["clusterIP"]
    refused = kubectl.refusal("create", "service", "clusterip", "thief", *PORT, f"--clusterip={address}")
    assert "spec.clusterIPs: Invalid value" in refused
    assert f"failed to allocate IP {address}: provided IP is already allocated" in refused
    kubectl("create", "service", "clusterip", "other", *PORT)
    patch = f'{{"spec":{{"clusterIP":"{address}","clusterIPs":["{address}"]}}}}'
    assert "may not change once set" in kubectl.refusal("patch", "service", "other", "-p", patch)
    without = '{"spec":{"clusterIP":null,"clusterIPs":null}}'
    kubectl("patch", "service", "web", "-p", without)
    assert kubectl.get("service", "web")["spec"]["clusterIP"] == address
    kubectl("delete", "service", "web")
    kubectl("create", "service", "clusterip", "heir", *PORT, f"--clusterip={address}")


def test_an_address_that_was_asked_for_is_given_to_nobody_else(kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "before", *PORT)
    head, _, last = kubectl.get("service", "before")["spec"]["clusterIP"].rpartition(".")
    asked = {f"{head}.{int(last) + ahead}" for ahead in (1, 2)}
    for number, address in enumerate(sorted(asked)):
        kubectl("create", "service", "clusterip", f"asks-{number}", *PORT, f"--clusterip={address}")
    kubectl("create", "service", "clusterip", "after", *PORT)
    assert kubectl.get("service", "after")["spec"]["clusterIP"] not in asked
