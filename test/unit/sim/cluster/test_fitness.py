"""Why a pod fits no node, in the words of the real scheduler (1.37)."""

import pytest

from aiop.sim.cluster.amounts import amounts as numbers
from aiop.sim.cluster.amounts import asked_by
from aiop.sim.cluster.fitness import Misfit, misfit, words
from support.simulated import Object


def node(name: str = "n", taints: list[Object] | None = None, **labels: str) -> Object:
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "3", "nvidia.com/gpu": "1"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints or []},
        "status": {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def pod(requests: dict[str, str] | None = None, **spec: object) -> Object:
    return {"spec": {"containers": [{"name": "main", "resources": {"requests": requests or {}}}], **spec}}


def reasons(wanted: Object, at: Object, **used: str) -> tuple[str, ...]:
    found = misfit(wanted, asked_by(wanted), at, numbers(used))
    return found.reasons if found else ()


def required(*terms: Object) -> Object:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def expression(key: str, operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def test_a_pod_that_fits_has_nothing_against_it() -> None:
    assert misfit(pod({"cpu": "4"}), asked_by(pod({"cpu": "4"})), node(), {}) is None


def test_everything_that_is_short_is_named() -> None:
    wanted = pod({"cpu": "5", "memory": "9Gi", "nvidia.com/gpu": "2"})
    assert reasons(wanted, node()) == ("Insufficient cpu", "Insufficient memory", "Insufficient nvidia.com/gpu")


def test_what_other_pods_use_is_not_there() -> None:
    assert reasons(pod({"cpu": "2"}), node(), cpu="3") == ("Insufficient cpu",)
    assert reasons(pod(), node(), pods="3") == ("Too many pods",)


def test_eviction_helps_where_the_node_is_large_enough() -> None:
    full = misfit(pod({"cpu": "2"}), numbers({"cpu": "2"}), node(), numbers({"cpu": "3"}))
    small = misfit(pod({"cpu": "9"}), numbers({"cpu": "9"}), node(), {})
    assert full is not None
    assert small is not None
    assert (full.hopeless, small.hopeless) == (False, True)
    assert words([full, small]) == (
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
        "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    )


def test_reasons_are_counted_and_sorted_as_text() -> None:
    found = [Misfit(("node(s) had untolerated taint(s)",), hopeless=True), Misfit(("Insufficient cpu",), hopeless=True)]
    assert words(found).startswith("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). ")
    assert words([]) == "no nodes available to schedule pods"


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "dedicated", "operator": "Equal", "value": "ai", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "ai"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "value": "other"}, False),
        ({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_keeps_away_who_does_not_tolerate_it(toleration: Object, tolerated: bool) -> None:
    tainted = node(taints=[{"key": "dedicated", "value": "ai", "effect": "NoSchedule"}])
    found = reasons(pod(tolerations=[toleration]), tainted)
    assert found == (() if tolerated else ("node(s) had untolerated taint(s)",))


def test_a_preference_not_to_schedule_is_no_reason() -> None:
    assert reasons(pod(), node(taints=[{"key": "a", "effect": "PreferNoSchedule"}])) == ()


def test_a_cordoned_node_and_one_that_is_not_ready_take_no_pod() -> None:
    cordoned, sick = node(), node()
    cordoned["spec"]["unschedulable"] = True
    sick["status"]["conditions"][0]["status"] = "False"
    assert reasons(pod(), cordoned) == ("node(s) were unschedulable",)
    assert reasons(pod(), sick) == ("node(s) had untolerated taint(s)",)


@pytest.mark.parametrize(
    ("term", "fits"),
    [
        (expression("zone", "In", "a", "b"), True),
        (expression("zone", "NotIn", "a"), False),
        (expression("zone", "Exists"), True),
        (expression("gpu", "DoesNotExist"), True),
        (expression("size", "Gt", "3"), True),
        (expression("size", "Lt", "3"), False),
        (expression("zone", "Gt", "3"), False),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}, True),
        ({}, False),
    ],
)
def test_required_node_affinity_is_obeyed(term: Object, fits: bool) -> None:
    found = reasons(pod(affinity=required(term)), node(zone="a", size="5"))
    assert found == (() if fits else ("node(s) didn't match Pod's node affinity/selector",))


def test_one_fitting_term_is_enough() -> None:
    terms = required(expression("zone", "In", "x"), expression("zone", "In", "a"))
    assert reasons(pod(affinity=terms), node(zone="a")) == ()


def test_the_largest_init_container_counts_if_it_needs_more_than_all_others_together() -> None:
    spec = {
        "containers": [
            {"name": "a", "resources": {"requests": {"cpu": "1"}}},
            {"name": "b", "resources": {"limits": {"cpu": "500m"}}},
        ],
        "initContainers": [
            {"name": "fetch", "resources": {"requests": {"cpu": "3"}}},
            {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "250m", "memory": "1Ki"}}},
        ],
    }
    assert asked_by({"spec": spec}) == numbers({"cpu": "3", "memory": "1024"})
