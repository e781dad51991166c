"""Server-side apply and ownership, held to what a real API server answered."""

from typing import Any

import pytest

from aiop.sim.semantics.apply import Actor, applied, updated
from aiop.sim.semantics.errors import ApplyConflict, UntypedConfiguration
from support.recorded import Answer, answers, essence, owners

RECORDED = answers("ownership")
APPLIES = [each for each in RECORDED if each.step["verb"] == "apply"]
_ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_NOW = "2100-01-01T00:00:00Z"


def apply(answer: Answer) -> dict[str, Any]:
    step = answer.step
    actor = Actor(step["manager"], step["body"]["apiVersion"], step.get("subresource", ""), _NOW)
    live = answer.before or {"metadata": {}}
    return applied(live, step["body"], answer.schema, actor, force=step.get("force", False))


@pytest.mark.parametrize("answer", [each for each in APPLIES if each.status < 300], ids=str)
def test_an_apply_leaves_the_same_owners(answer: Answer) -> None:
    assert owners(apply(answer)) == owners(answer.body)


@pytest.mark.parametrize("answer", [each for each in APPLIES if each.status < 300 and each.before], ids=str)
def test_an_apply_leaves_the_same_object(answer: Answer) -> None:
    found, wanted = essence(apply(answer)), essence(answer.body)
    if wanted["kind"] in {"ConfigMap", "Gadget"}:
        assert without_defaults(found) == without_defaults(wanted)
    else:
        assert contained(found["spec"], wanted["spec"]) == []


@pytest.mark.parametrize("answer", [each for each in APPLIES if each.status < 300 and each.before], ids=str)
def test_an_apply_moves_its_time_only_when_the_object_changes(answer: Answer) -> None:
    before = {
        str(entry["manager"]): entry.get("time") for entry in (answer.before or {})["metadata"].get("managedFields", [])
    }
    found = {str(entry["manager"]): entry.get("time") for entry in apply(answer)["metadata"]["managedFields"]}
    wanted = {str(entry["manager"]): entry.get("time") for entry in answer.body["metadata"]["managedFields"]}
    assert set(found) == set(wanted)
    if essence(answer.before or {}) == essence(answer.body):
        assert found.get(answer.step["manager"]) == before.get(answer.step["manager"])
    else:
        assert found[answer.step["manager"]] == _NOW


@pytest.mark.parametrize("answer", [each for each in APPLIES if each.status == 409], ids=str)
def test_a_conflict_is_told_in_the_servers_words(answer: Answer) -> None:
    with pytest.raises(ApplyConflict) as caught:
        apply(answer)
    assert str(caught.value) == answer.body["message"]
    assert sorted(caught.value.causes, key=str) == sorted(answer.body["details"]["causes"], key=str)


@pytest.mark.parametrize("answer", [each for each in APPLIES if each.status == 500], ids=str)
def test_a_configuration_that_does_not_fit_is_refused_in_the_servers_words(answer: Answer) -> None:
    with pytest.raises(UntypedConfiguration) as caught:
        apply(answer)
    assert str(caught.value) == answer.body["message"]


@pytest.mark.parametrize("answer", [e for e in RECORDED if e.step["verb"] != "apply" and e.status < 300], ids=str)
def test_an_update_leaves_the_same_owners(answer: Answer) -> None:
    step = answer.step
    actor = Actor(step.get("manager", "me"), answer.body["apiVersion"], step.get("subresource", ""), _NOW)
    metadata = {name: value for name, value in answer.body["metadata"].items() if name != "managedFields"}
    asked = (step["body"].get("metadata") or {}).get("managedFields")
    new = {**answer.body, "metadata": metadata | ({} if asked is None else {"managedFields": asked})}
    if new["kind"] == "Service":  # the address is given after the owners are noted
        new["spec"] = {name: value for name, value in new["spec"].items() if name not in _ALLOCATED}
    assert owners(updated(answer.before, new, answer.schema, actor)) == owners(answer.body)


def without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_defaults(child) for name, child in value.items() if name not in {"kind", "protocol"}}
    return [without_defaults(item) for item in value] if isinstance(value, list) else value


def contained(part: Any, whole: Any, path: str = "") -> list[str]:
    if isinstance(part, dict) and isinstance(whole, dict):
        return [fault for name in part for fault in contained(part[name], whole.get(name), f"{path}.{name}")]
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return [
            fault for number, item in enumerate(part) for fault in contained(item, whole[number], f"{path}[{number}]")
        ]
    return [] if part == whole or not part else [f"{path}: {part!r} is not {whole!r}"]
