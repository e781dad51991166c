"""Every field of both kinds at its bounds and past them, on the real API server with the operator beside it."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.bounds import KINDS, MEBIBYTE, Field, at_bounds, beyond, fields
from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.raw_api import Answer
from support.rest import Rest
from support.workloads import wait_for, workload

GROUP = "/apis/geartickler.com/v1alpha1"
# A refusal of the schema, of one that could not be read, and of one that was too large to be read.
REFUSED = {400, 413, 422}
# The most servers that a workload may ask for would be a thousand pods for a cluster of two cores.
CROWDS = {"spec.replicas", "spec.autoscaling.minReplicas"}
# What the API server reads of a request at most.
LARGEST_REQUEST = 3 * MEBIBYTE
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def rest(cluster: Cluster) -> Iterator[Rest]:
    with Rest(cluster) as connection:
        yield connection


def words(answer: Answer) -> str:
    """What the server said, one line."""
    return str(answer.body.get("message", "") if isinstance(answer.body, dict) else answer.body)


def collection(kind: str, namespace: str) -> str:
    return f"{GROUP}/namespaces/{namespace}/aiworkloads" if kind == "AIWorkload" else f"{GROUP}/servingruntimes"


def tried(rest: Rest, kind: str, body: dict[str, Any], namespace: str = "default") -> Answer:
    """What would come of a POST."""
    try:
        return rest.call("POST", f"{collection(kind, namespace)}?dryRun=All&fieldValidation=Strict", body)
    except OSError:
        # The server hangs up on a request that is too large while it is still being sent.
        assert len(json.dumps(body)) > LARGEST_REQUEST
        rest.close()
        return Answer(413, "the server hung up")


@pytest.mark.security(2, 24)
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_past_its_bounds_is_refused_by_name(rest: Rest, installed: None, kind: str) -> None:
    wrong = []
    for field in fields(kind):
        for word, value in beyond(field):
            answer = tried(rest, kind, field.with_value(value))
            # What is too large or unreadable is refused before anybody looks at fields.
            named = answer.status != 422 or _named(field, words(answer))
            if answer.status not in REFUSED or not named:
                wrong.append(f"{field.path} {word}: {answer.status} {words(answer)[:300]}")
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_at_its_bounds_is_taken(rest: Rest, installed: None, kind: str) -> None:
    wrong = []
    for field in fields(kind):
        for word, value in at_bounds(field):
            answer = tried(rest, kind, field.with_value(value))
            if answer.status != 201 and not _by_rule(answer):
                wrong.append(f"{field.path} {word}: {answer.status} {words(answer)[:300]}")
    assert wrong == []


@pytest.mark.security(24)
def test_a_workload_at_any_bound_gets_a_verdict_and_its_neighbours_notice_nothing(
    rest: Rest, kubectl: Kubectl, operator: Operator
) -> None:
    kubectl.apply(workload("neighbour"))
    wait_for(kubectl, "Ready", "True", name="neighbour")
    before = kubectl.get("aiworkload", "neighbour")["metadata"]["resourceVersion"]
    asked = {f"bound-{number}": each for number, each in enumerate(_bounded(rest, kubectl.namespace))}
    here = collection("AIWorkload", kubectl.namespace)
    for name, (_, body) in asked.items():
        assert rest.call("POST", here, {**body, "metadata": {"name": name}}).status == 201
    judged = eventually(lambda: _judged(rest, here, set(asked)), seconds=120)
    silent = [
        f"{asked[name][0]}: {condition['message']}"
        for name, condition in judged.items()
        if condition["status"] == "False" and not _says_field_and_fix(condition["message"])
    ]
    assert silent == []
    assert kubectl.get("aiworkload", "neighbour")["metadata"]["resourceVersion"] == before
    assert not operator.ended
    rest.delete(f"{here}?labelSelector=!keep")


def _bounded(rest: Rest, namespace: str) -> list[tuple[str, dict[str, Any]]]:
    """Each bound's field and object, without servers of its own and on a path of its own."""
    made = []
    for field in fields("AIWorkload"):
        for word, value in at_bounds(field):
            if field.path in CROWDS and word == "most":
                continue
            body = field.with_value(value)
            spec = body["spec"]
            if field.path not in CROWDS:
                spec["replicas"] = 0
            if "inferenceEndpoint" in spec and field.path != "spec.inferenceEndpoint":
                spec["inferenceEndpoint"] = f"/bounds/{next(_numbers)}"
            if spec.get("autoscaling") and not field.path.startswith("spec.autoscaling"):
                del spec["autoscaling"]
            if tried(rest, "AIWorkload", body, namespace).status == 201:
                made.append((f"{field.path} {word}", body))
    return made


def _judged(rest: Rest, path: str, names: set[str]) -> dict[str, Any] | None:
    """The condition Accepted of each, once all have it."""
    found = {
        each["metadata"]["name"]: condition
        for each in rest.items(path)
        for condition in each.get("status", {}).get("conditions", ())
        if condition["type"] == "Accepted" and condition["observedGeneration"] == each["metadata"]["generation"]
    }
    return {name: found[name] for name in names} if names <= set(found) else None


def _named(field: Field, said: str) -> bool:
    """The field itself, one in it, or the rule of an object that holds it."""
    holders = [".".join(field.path.split(".")[: end + 1]) for end in range(1, len(field.path.split(".")))]
    return field.path in said or any(f"{holder}:" in said for holder in [*holders, "spec"])


def _by_rule(answer: Answer) -> bool:
    """Refused by a rule that joins fields: at their bounds these two cannot stand together."""
    causes = answer.body.get("details", {}).get("causes", []) if isinstance(answer.body, dict) else []
    return answer.status == 422 and bool(causes) and all("in body" not in cause["message"] for cause in causes)


def _says_field_and_fix(message: str) -> bool:
    return "spec." in message and any(
        word in message for word in ("set ", "Set ", "name ", "correct ", "give ", "leave ")
    )
