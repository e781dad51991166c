"""What the chart lets the operator and the people of a namespace do."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hack.generated.chart import rendered_chart

ROOT = Path(__file__).parents[2]
ALL: tuple[str, ...] = ()
SOME = ("--set", "watchNamespaces={team-a,team-b}")
EVERYBODY = {"system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:masters"}
ESCALATING = {"escalate", "bind", "impersonate", "approve", "sign"}
# With any of these its holder reads what the operator has no business with, or becomes somebody else.
FORBIDDEN = {"secrets", "nodes", "nodes/proxy", "serviceaccounts", "serviceaccounts/token", "pods/exec", "configmaps"}
PEOPLE = ("aiop-view", "aiop-edit", "aiop-admin", "aiop-runtimes-view")
# What `aiop explain` reads of a workload's children beyond Kubernetes' own role view.
LOOK_AT_ROUTES = {
    "apiGroups": ["gateway.networking.k8s.io"],
    "resources": ["httproutes"],
    "verbs": ["get", "list", "watch"],
}
INTO = "rbac.authorization.k8s.io/aggregate-to-"


@pytest.fixture(scope="module", params=[ALL, SOME], ids=["all namespaces", "some namespaces"])
def rendered(request: pytest.FixtureRequest) -> list[Any]:
    return rendered_chart(ROOT, *request.param)


def roles(rendered: list[Any]) -> list[Any]:
    return [each for each in rendered if each["kind"] in {"ClusterRole", "Role"}]


def named(rendered: list[Any], kind: str, name: str) -> Any:
    (found,) = [each for each in rendered if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def rules(roles: Iterable[Any]) -> list[Any]:
    return [rule for role in roles for rule in role.get("rules", ())]


def resources(role: Any) -> set[str]:
    return {resource for rule in role.get("rules", ()) for resource in rule["resources"]}


def scope(namespaces: tuple[str, ...]) -> list[Any]:
    """The operator's roles for the kinds that it sees to."""
    found = rendered_chart(ROOT, *namespaces)
    return [each for each in roles(found) if each["metadata"]["name"] in {"aiop", "geartickler.com:operator"}]


@pytest.mark.security(8, 23)
def test_no_rule_has_a_wildcard_escalates_or_reaches_secrets_or_nodes(rendered: list[Any]) -> None:
    assert len(rules(roles(rendered))) > 10
    for rule in rules(roles(rendered)):
        words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not any("*" in word for word in words)
        assert not FORBIDDEN & set(rule["resources"])
        assert "rbac.authorization.k8s.io" not in rule["apiGroups"]
        assert not ESCALATING & set(rule["verbs"])
        assert "nonResourceURLs" not in rule


@pytest.mark.security(5, 6)
def test_nothing_is_bound_to_anybody_but_the_operators_serviceaccount(rendered: list[Any]) -> None:
    bindings = [each for each in rendered if each["kind"].endswith("Binding") and "subjects" in each]
    assert len(bindings) >= 2
    for binding in bindings:
        (subject,) = binding["subjects"]
        assert subject["kind"] == "ServiceAccount"
        assert (subject["namespace"], subject["name"]) == ("aiop-system", "aiop")
        assert not EVERYBODY & {subject["name"]}


@pytest.mark.security(5, 6, 14)
def test_peoples_roles_grant_nothing_but_our_kinds_and_a_look_at_routes_and_never_their_status(
    rendered: list[Any],
) -> None:
    for role in (named(rendered, "ClusterRole", name) for name in PEOPLE):
        for rule in role["rules"]:
            if rule == LOOK_AT_ROUTES and role["metadata"]["name"] == "aiop-view":
                continue
            assert rule["apiGroups"] == ["geartickler.com"]
            ours = {"aiworkloads", "aiworkloads/scale", "aiworkloads/status", "servingruntimes"}
            assert set(rule["resources"]) <= ours
            if "aiworkloads/status" in rule["resources"]:
                assert rule["verbs"] == ["get"]


@pytest.mark.security(14)
def test_runtimes_are_only_read_in_peoples_roles(rendered: list[Any]) -> None:
    for role in (named(rendered, "ClusterRole", name) for name in PEOPLE):
        for rule in role["rules"]:
            if "servingruntimes" in rule["resources"]:
                assert set(rule["verbs"]) == {"get", "list", "watch"}


def test_peoples_roles_go_into_those_of_kubernetes_and_into_no_lesser_one(rendered: list[Any]) -> None:
    into = {
        name: {
            label.removeprefix(INTO)
            for label in named(rendered, "ClusterRole", name)["metadata"]["labels"]
            if label.startswith(INTO)
        }
        for name in PEOPLE
    }
    everyone = {"view", "edit", "admin"}
    assert into == {
        "aiop-view": everyone,
        "aiop-runtimes-view": everyone,
        "aiop-edit": {"edit", "admin"},
        "aiop-admin": {"admin"},
    }


def test_nobody_gets_a_right_by_aggregation_where_that_is_switched_off() -> None:
    rendered = rendered_chart(ROOT, "--set", "rbac.aggregateToDefaultRoles=false")
    for name in PEOPLE:
        labels = named(rendered, "ClusterRole", name)["metadata"]["labels"]
        assert not any(label.startswith(INTO) for label in labels)


def test_no_other_role_of_the_chart_goes_into_those_of_kubernetes(rendered: list[Any]) -> None:
    for role in roles(rendered):
        if role["metadata"]["name"] not in PEOPLE:
            assert not any(label.startswith(INTO) for label in role["metadata"]["labels"])


def test_with_a_list_of_namespaces_the_clusterrole_keeps_cluster_scoped_kinds_alone() -> None:
    everywhere, here, there = scope(SOME)
    assert (everywhere["kind"], here["kind"], there["kind"]) == ("ClusterRole", "Role", "Role")
    assert [each["metadata"]["namespace"] for each in (here, there)] == ["team-a", "team-b"]
    assert here["rules"] == there["rules"]
    assert "servingruntimes" in resources(everywhere)
    assert "servingruntimes" not in resources(here)
    assert not {"aiworkloads", "deployments", "pods", "events"} & resources(everywhere)


def test_both_ways_grant_the_same_rules() -> None:
    def said(roles: list[Any]) -> list[str]:
        return sorted(str(rule) for rule in rules(roles))

    everywhere, here, _ = scope(SOME)
    assert said([everywhere, here]) == said(scope(ALL))


def test_no_rule_is_there_twice(rendered: list[Any]) -> None:
    for role in roles(rendered):
        granted = [
            (group, resource, verb, *rule.get("resourceNames", []))
            for rule in role.get("rules", ())
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        ]
        assert len(granted) == len(set(granted)), role["metadata"]["name"]


def test_the_pods_of_an_operator_of_some_namespaces_are_told_which() -> None:
    (deployment,) = [each for each in rendered_chart(ROOT, *SOME) if each["kind"] == "Deployment"]
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert [each for each in arguments if "watch-namespace" in each] == [
        "--watch-namespace=team-a",
        "--watch-namespace=team-b",
    ]
    assert not any("watch-namespace" in each for each in str(rendered_chart(ROOT)).split())


def test_the_lease_that_is_asked_for_is_the_one_that_the_role_names(rendered: list[Any]) -> None:
    from aiop.cli.main import build_parser  # noqa: PLC0415 - the command line as the pod gives it

    (deployment,) = [each for each in rendered if each["kind"] == "Deployment"]
    given = build_parser("manager").parse_args(deployment["spec"]["template"]["spec"]["containers"][0]["args"])
    election = named(rendered, "Role", "aiop-leader-election")
    assert [rule["resourceNames"] for rule in election["rules"] if "resourceNames" in rule] == [[given.lease_name]]
    assert given.lease_namespace is None, "the Lease lies where the pod lies"
    assert election["metadata"]["namespace"] == deployment["metadata"]["namespace"]
