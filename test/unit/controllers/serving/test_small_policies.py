"""Announcements, pacing, parsed specs, refusals, who owns a count, the table of reasons."""

import ast
from pathlib import Path
from typing import Any

import msgspec
import pytest

import aiop.controllers.serving as package
from aiop.controllers.serving.announcements import announcements
from aiop.controllers.serving.children.disruption import disruption_budget
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.names import FIELD_MANAGER
from aiop.controllers.serving.observed import replicas_owned_by_another
from aiop.controllers.serving.pacing import FLIP_SECONDS, QUIET_SECONDS, StatusPacer
from aiop.controllers.serving.reasons import REASONS
from aiop.controllers.serving.refusals import refusal_of
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.errors import BadRequest, Cause, Forbidden, Invalid
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.conditions.condition import Condition, condition
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.owned import ManagedFieldsEntry, Owned

CHILD = disruption_budget(ObjectKey("team", "bert"), {"a": "b"})


def test_a_change_of_reason_is_told_and_a_repetition_is_not() -> None:
    before = [condition("Degraded", True, "CrashLoop", "one")]
    assert announcements(before, [condition("Degraded", True, "CrashLoop", "two")]) == []
    (told,) = announcements(before, [condition("Degraded", True, "Unschedulable", "no room")])
    assert (told.event_type, told.reason) == ("Warning", "Unschedulable")


def test_the_first_look_is_no_news_but_acceptance_and_the_rollout() -> None:
    after = [
        condition("Accepted", True, "Accepted"),
        condition("Ready", False, "RollingOut"),
        condition("Progressing", True, "RollingOut"),
        condition("Degraded", False, "Healthy"),
    ]
    assert [each.reason for each in announcements([], after)] == ["Accepted", "RollingOut"]


def test_good_news_is_normal_and_bad_news_a_warning() -> None:
    before = [condition("Ready", False, "RollingOut"), condition("Accepted", True, "Accepted")]
    after = [condition("Ready", True, "Serving"), condition("Accepted", False, "InvalidSpec")]
    assert [each.event_type for each in announcements(before, after)] == ["Normal", "Warning"]


def test_of_the_models_way_only_its_fetch_is_news() -> None:
    before = [condition("ModelReady", False, "ModelMeasuring")]
    (told,) = announcements(before, [condition("ModelReady", False, "ModelFetching", "fetching 4.1 GiB in 12 files")])
    assert (told.event_type, told.note) == ("Normal", "ModelReady: fetching 4.1 GiB in 12 files")
    assert announcements(before, [condition("ModelReady", False, "ModelNotFound")]) == []
    assert announcements(before, [condition("ModelReady", True, "ModelMounted")]) == []


def test_a_rollout_without_extra_servers_is_no_warning_and_one_that_waits_is() -> None:
    before = [condition("Progressing", True, "RollingOut")]
    kinds = [
        announcements(before, [condition("Progressing", True, reason)])[0].event_type
        for reason in ("RollingOutInPlace", "LastServerStays")
    ]
    assert kinds == ["Normal", "Warning"]


NOT_READY, READY = [Condition("Ready", "False")], [Condition("Ready", "True")]


def test_the_first_word_is_written_at_once() -> None:
    assert StatusPacer().delay("uid", [], NOT_READY, 10.0) == 0.0


def test_numbers_wait_for_their_pace() -> None:
    pacer = StatusPacer()
    assert pacer.delay("uid", NOT_READY, NOT_READY, 10.0) == 0.0
    pacer.wrote("uid", 10.0)
    assert pacer.delay("uid", NOT_READY, NOT_READY, 10.2) == pytest.approx(QUIET_SECONDS - 0.2)
    assert pacer.delay("other", NOT_READY, NOT_READY, 10.2) == 0.0
    pacer.forget("uid")
    assert pacer.delay("uid", NOT_READY, NOT_READY, 10.2) == 0.0


def test_a_flip_waits_a_moment_for_its_company_and_no_longer() -> None:
    pacer = StatusPacer()
    pacer.wrote("uid", 10.0)
    assert pacer.delay("uid", NOT_READY, READY, 10.2) == pytest.approx(FLIP_SECONDS)
    assert pacer.delay("uid", NOT_READY, READY, 10.2 + FLIP_SECONDS / 2) == pytest.approx(FLIP_SECONDS / 2)
    assert pacer.delay("uid", NOT_READY, READY, 10.3 + FLIP_SECONDS) == 0.0
    pacer.wrote("uid", 10.3 + FLIP_SECONDS)
    assert pacer.delay("uid", READY, NOT_READY, 11.0) == pytest.approx(FLIP_SECONDS)


def test_a_flip_that_is_taken_back_leaves_nothing_to_tell_in_haste() -> None:
    pacer = StatusPacer()
    pacer.wrote("uid", 10.0)
    pacer.delay("uid", NOT_READY, READY, 10.1)
    assert pacer.delay("uid", NOT_READY, NOT_READY, 10.2) > FLIP_SECONDS
    assert pacer.delay("uid", NOT_READY, READY, 10.5) == pytest.approx(FLIP_SECONDS)


def test_how_the_models_files_come_is_mere_progress() -> None:
    pacer = StatusPacer()
    pacer.wrote("uid", 10.0)
    fetched = [*NOT_READY, Condition("ModelReady", "True", "ModelFetched")]
    assert pacer.delay("uid", [*NOT_READY, Condition("ModelReady", "False")], fetched, 10.2) > FLIP_SECONDS


def test_why_servers_are_replaced_after_all_is_told_before_they_are() -> None:
    pacer = StatusPacer()
    pacer.wrote("uid", 10.0)
    resizing, restart = (
        Condition("Progressing", "True", "ResizingInPlace"),
        Condition("Progressing", "True", "RollingOut"),
    )
    assert pacer.delay("uid", [resizing], [restart], 10.2) > FLIP_SECONDS
    needed = Condition("Progressing", "True", "RestartNeeded")
    assert pacer.delay("uid", [resizing], [needed], 10.2) == pytest.approx(FLIP_SECONDS)


def custom(spec: Any, generation: int = 1, uid: str = "uid") -> CustomObject:
    return CustomObject(ObjectMeta(name="n", uid=uid, generation=generation), msgspec.json.encode(spec))


def test_a_spec_is_parsed_once_a_generation() -> None:
    specs = SpecCache()
    first = specs.workload(custom({"modelName": "m", "framework": "ONNX"}))
    assert specs.workload(custom({"modelName": "other"})) is first
    assert specs.workload(custom({"modelName": "other"}, generation=2)).model_name == "other"


def test_a_recreated_object_is_parsed_anew() -> None:
    specs = SpecCache()
    specs.workload(custom({"modelName": "m"}))
    assert specs.workload(custom({"modelName": "other"}, uid="next")).model_name == "other"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"modelName": 7}, "spec.modelName"),
        ({"modelName": "m", "replicas": -1}, "spec.replicas"),
        ({"modelName": "m", "replicas": True}, "spec.replicas"),
        ({"modelName": "m", "replicas": "2"}, "spec.replicas"),
        ({"modelName": "x" * 1_000_000}, "spec.modelName"),
        ({"modelName": "m", "resources": {"limits": {"cpu": -1}}}, "spec.resources.limits.cpu"),
        ({"modelName": "m", "env": [{"name": "a b"}]}, "spec.env.0.name"),
        ([], "spec"),
        (None, "spec"),
    ],
)
def test_nonsense_names_its_field_and_the_fix_in_few_words(spec: Any, field: str) -> None:
    with pytest.raises(NotAccepted) as refused:
        SpecCache().workload(custom(spec))
    assert refused.value.reason == "InvalidSpec"
    assert field in refused.value.message
    assert "correct the field" in refused.value.message
    assert len(refused.value.message) < 1000


def test_a_mebibyte_of_a_key_does_not_reach_the_message() -> None:
    with pytest.raises(NotAccepted) as refused:
        SpecCache().workload(custom({"modelName": "m", "nodeSelector": {"k" * 1_000_000: 3}}))
    assert len(refused.value.message) < 1000


def test_nonsense_is_not_parsed_again_either_and_is_forgotten_with_its_object() -> None:
    specs = SpecCache()
    for _ in range(2):
        with pytest.raises(NotAccepted):
            specs.workload(custom({"modelName": 7}))
    specs.forget("uid")
    assert specs.workload(custom({"modelName": "m"})).model_name == "m"


def test_keys_of_a_newer_version_are_tolerated_in_stored_objects() -> None:
    spec = {"modelName": "m", "framework": "ONNX", "inventedLater": {"deep": [1]}}
    assert SpecCache().workload(custom(spec)).model_name == "m"


def test_a_broken_rule_is_told_by_the_servers_causes() -> None:
    causes = (Cause("spec.maxUnavailable", "Invalid", "must be a number"), Cause("", "", "noise"))
    found = refusal_of(CHILD, Invalid(422, "Invalid", "whole text", causes=causes))
    assert isinstance(found, NotAccepted)
    assert "PodDisruptionBudget 'bert': spec.maxUnavailable: must be a number; correct" in found.message


def test_a_broken_rule_without_causes_is_told_by_the_servers_words() -> None:
    assert "whole text" in str(refusal_of(CHILD, BadRequest(400, "BadRequest", "whole text")))


def test_what_is_forbidden_is_not_called_the_specs_fault() -> None:
    assert isinstance(refusal_of(CHILD, Forbidden(403, "Forbidden", "quota")), ChildRefused)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('services "bert" is forbidden: exceeded quota: few, requested: count/services=1', "QuotaExceeded"),
        ('services is forbidden: User "system:serviceaccount:a:b" cannot create resource "services"', "RightMissing"),
        ("no", "ChildRefused"),
    ],
)
def test_who_forbids_it_has_a_reason_of_its_own(words: str, reason: str) -> None:
    found = refusal_of(CHILD, Forbidden(403, "Forbidden", words))
    assert isinstance(found, ChildRefused)
    assert found.reason == reason
    assert words in found.message


def test_a_quota_that_counts_a_child_is_not_met_by_smaller_servers() -> None:
    words = 'services "bert" is forbidden: exceeded quota: few, requested: count/services=1'
    found = refusal_of(CHILD, Forbidden(403, "Forbidden", words))
    assert found.message.endswith("; it is tried again every minute; raise the quota")


@pytest.mark.parametrize(
    ("manager", "subresource", "fields", "expected"),
    [
        ("kube-controller-manager", "scale", b'{"f:spec":{"f:replicas":{}}}', True),
        ("kubectl", "", b'{"f:spec":{"f:replicas":{}}}', True),
        (FIELD_MANAGER, "", b'{"f:spec":{"f:replicas":{}}}', False),
        ("kube-controller-manager", "status", b'{"f:status":{"f:replicas":{}}}', False),
        ("kubectl", "", b'{"f:spec":{"f:paused":{}}}', False),
    ],
)
def test_whose_the_count_is_stands_in_managed_fields(
    manager: str, subresource: str, fields: bytes, expected: bool
) -> None:
    view = Owned(ObjectMeta(), managed_fields=(ManagedFieldsEntry(manager, "Update", subresource, fields),))
    assert replicas_owned_by_another(view, FIELD_MANAGER) is expected


def test_every_reason_is_explained_once_in_words() -> None:
    names = [reason.name for reason in REASONS]
    assert len(set(names)) == len(names)
    assert all(reason.meaning.endswith(".") and reason.conditions for reason in REASONS)
    assert all(reason.fix.endswith(".") for reason in REASONS if reason.fix)


def test_every_reason_that_the_code_names_is_in_the_table() -> None:
    folder = Path(package.__path__[0])
    named = {name for path in folder.rglob("*.py") for name in _reasons_in(ast.parse(path.read_text()))}
    assert named == {reason.name for reason in REASONS}


def _reasons_in(tree: ast.AST) -> set[str]:
    """The reasons given to whatever takes one, and those returned as the first of a pair."""
    first = dict.fromkeys(("Cause", "advised", "NotAccepted", "ChildRefused", "known_by"), 0)
    positions = {**first, "condition": 2, "Outside": 1}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in positions:
            found |= _texts(node.args[positions[node.func.id]])
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and node.value.elts:
            found |= _texts(node.value.elts[0])
    return {name for name in found if name[:1].isupper()}


def _texts(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
