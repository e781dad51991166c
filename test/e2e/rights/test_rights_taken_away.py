"""What becomes of the operator when a right is taken away: the audit log is believed since these rights show why."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.installation import ACCOUNT, SYSTEM, USER, Installation, installation
from support.kubectl import Kubectl, eventually
from support.rightsstory import NAME, full
from support.usedrights import Right, bound_roles, used
from support.workloads import conditions, wait_for, workload

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.security(23)]
TEAM = "team-a"
_APPS, _OURS = "apps", "geartickler.com"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("taken")
    with installation(folder, [TEAM]) as made:
        yield made


@pytest.fixture
def kubectl(here: Installation) -> Iterator[Kubectl]:
    """Before and after it there is no workload, no runtime, no Lease and no operator."""
    kubectl = here.inside(TEAM)
    yield kubectl
    if not here.operator.ended:
        here.operator.kill()
    kubectl("delete", "aiworkloads", "--all")
    here.admin("delete", "servingruntimes", "--all")
    here.inside(SYSTEM)("delete", "leases", "--all")
    eventually(lambda: not kubectl.items("deployments,services,ingresses,hpa,controllerrevisions"))
    here.operator.log.write_text("")


@contextmanager
def taken_away(admin: Kubectl, right: Right) -> Iterator[None]:
    """The operator's roles without that one verb."""
    roles = bound_roles(admin, ACCOUNT)
    changed = [(role, lesser) for role in roles if (lesser := without(role, right)) != role]
    assert changed, f"nobody was granted {right}"
    for _, lesser in changed:
        replace(admin, lesser)
    try:
        yield
    finally:
        for role, _ in changed:
            replace(admin, role)


def without(role: dict[str, Any], right: Right) -> dict[str, Any]:
    rules = []
    for rule in role["rules"]:
        if right.group in rule["apiGroups"] and right.resource in rule["resources"]:
            others = [each for each in rule["resources"] if each != right.resource]
            rules += [{**rule, "resources": others}] if others else []
            verbs = [each for each in rule["verbs"] if each != right.verb]
            rules += [{**rule, "resources": [right.resource], "verbs": verbs}] if verbs else []
        else:
            rules.append(rule)
    lesser = copy.deepcopy(role)
    lesser["rules"] = rules
    return lesser if granting(rules) != granting(role["rules"]) else role


def granting(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def replace(admin: Kubectl, role: dict[str, Any]) -> None:
    body = copy.deepcopy(role)
    del body["metadata"]["resourceVersion"]
    kubectl = Kubectl(admin.kubeconfig, body["metadata"].get("namespace", "default"))
    kubectl("replace", "-f", "-", stdin=json.dumps(body))


class Failure:
    """What fails without a right, as the operator's users or its log see it."""

    def __init__(self, here: Installation, kubectl: Kubectl) -> None:
        self._here = here
        self._kubectl = kubectl

    def it_is_not_ready_and_names(self, resource: str) -> None:
        self._here.operator.launch()
        eventually(lambda: f"{resource} (forbidden" in self._here.operator.readiness(), told=self._here.said)

    def the_condition_says(self, words: str) -> None:
        self._here.operator.start()
        self._kubectl.apply(full())
        eventually(lambda: words in self._messages(), told=self._messages)

    def the_log_says(self, words: str) -> None:
        self._here.operator.start()
        self._kubectl.apply(full())
        eventually(lambda: words in self._here.said(), told=self._here.said)

    def it_never_leads(self) -> None:
        self._here.operator.start()
        eventually(lambda: 'cannot create resource \\"leases\\"' in self._here.said(), told=self._here.said)
        assert not self._here.inside(SYSTEM).items("leases")

    def there_is_no_status(self) -> None:
        self._here.operator.start()
        self._kubectl.apply(full())
        eventually(lambda: 'cannot patch resource \\"aiworkloads/status\\"' in self._here.said(), told=self._here.said)
        assert "status" not in self._kubectl.get("aiworkload", NAME)

    def what_is_wanted_no_more_stays(self, child: str) -> None:
        self._here.operator.start()
        self._kubectl.apply(full())
        wait_for(self._kubectl, "Ready", "True", name=NAME)
        self._kubectl.apply(workload(NAME))
        eventually(lambda: f'cannot delete resource \\"{child}\\"' in self._here.said(), told=self._here.said)
        assert self._kubectl.items(child)

    def what_was_edited_stays_so(self, child: str) -> None:
        self._here.operator.start()
        self._kubectl.apply(full())
        wait_for(self._kubectl, "Ready", "True", name=NAME)
        self._kubectl("patch", child, NAME, "--type=merge", "-p", '{"spec":{"selector":{"nobody":"here"}}}')
        eventually(lambda: f'cannot patch resource \\"{child}\\"' in self._here.said(), told=self._here.said)
        assert self._kubectl.get(child, NAME)["spec"]["selector"]["nobody"] == "here"

    def _messages(self) -> str:
        return " ".join(each["message"] for each in conditions(self._kubectl, NAME).values())


@pytest.mark.parametrize(
    ("right", "fails"),
    [
        (Right("watch", _OURS, "aiworkloads"), lambda failure: failure.it_is_not_ready_and_names("aiworkloads")),
        (Right("watch", "", "pods"), lambda failure: failure.it_is_not_ready_and_names("pods")),
        (
            Right("create", "", "services"),
            lambda failure: failure.the_condition_says('cannot create resource "services"'),
        ),
        (
            Right("update", _OURS, "aiworkloads/finalizers"),
            lambda failure: failure.the_condition_says("cannot set blockOwnerDeletion"),
        ),
        (Right("patch", _OURS, "aiworkloads/status"), lambda failure: failure.there_is_no_status()),
        (
            Right("create", _OURS, "servingruntimes"),
            lambda failure: failure.the_log_says("default runtimes not applied"),
        ),
        (Right("create", "events.k8s.io", "events"), lambda failure: failure.the_log_says("event not written")),
        (Right("create", "coordination.k8s.io", "leases"), lambda failure: failure.it_never_leads()),
        (
            Right("delete", "networking.k8s.io", "ingresses"),
            lambda failure: failure.what_is_wanted_no_more_stays("ingresses"),
        ),
        (Right("patch", "", "services"), lambda failure: failure.what_was_edited_stays_so("services")),
    ],
    ids=lambda value: str(value) if isinstance(value, Right) else "",
)
def test_something_fails_without(
    here: Installation, kubectl: Kubectl, right: Right, fails: Callable[[Failure], None]
) -> None:
    with taken_away(here.admin, right):
        fails(Failure(here, kubectl))
        here.operator.kill()
    asked = {each._replace(namespace="") for each in used(here.plane.audit_log, USER).forbidden}
    if right.resource != "aiworkloads/finalizers":  # no request of its own
        assert right in asked
