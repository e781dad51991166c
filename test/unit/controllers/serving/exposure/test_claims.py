"""Who gets a path or a host: whatever workloads there are, and in whatever order they come and go."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.asked import Asked, GatewayName
from aiop.controllers.serving.exposure.claimbook import ClaimBook
from aiop.controllers.serving.exposure.claims import (
    Claimant,
    NoClaims,
    Place,
    claimant_of,
    denial,
    places,
    without_advice,
)
from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.ways import DefaultWays, GatewayWay, IngressWay, Way, way_of
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from support.claiming import asking, claimant, claimants

CLUSTER = Cluster(gateway_api=True, default_class="nginx")
DEFAULTS = DefaultWays(gateway=GatewayName("infra", "public"))


def way(asked: Asked) -> Way:
    return way_of(asked, DEFAULTS, CLUSTER)


class Ledger(NoClaims):
    """Only what the claims themselves need, out of a book."""

    def __init__(self, everybody: Iterable[Claimant]) -> None:
        self.book = ClaimBook()
        for each in everybody:
            self.book.put(each.key, each)
        self.claimants = self.book.claimants  # type: ignore[method-assign]
        self.contested = self.book.contested  # type: ignore[method-assign]
        self.host_owner = self.book.host_owner  # type: ignore[method-assign]


def verdict(me: Claimant, everybody: Iterable[Claimant]) -> NotAccepted | None:
    return denial(me, Ledger(everybody), way)


def reason(me: Claimant, everybody: Iterable[Claimant]) -> str:
    found = verdict(me, everybody)
    return found.reason if found else "granted"


# The rules once more, slowly: over all workloads, without a book.


def meets(one: str, other: str) -> bool:
    def covers(wild: str, host: str) -> bool:
        return wild.startswith("*.") and host.removeprefix("*.").endswith(wild[1:])

    return one == other or covers(one, other) or covers(other, one)


def narrower(one: str, other: str) -> str:
    return one if len(one.split(".")) - one.startswith("*.") > len(other.split(".")) - other.startswith("*.") else other


def slow_reason(me: Claimant, everybody: Iterable[Claimant]) -> str:
    def owner(host: str) -> str:
        users = [each for each in everybody if any(meets(host, theirs) for theirs in each.asked.hosts)]
        return min(users, key=lambda each: each.age).key.namespace

    theirs = {host for each in everybody if each.key.namespace != me.key.namespace for host in each.asked.hosts}
    common = {narrower(mine, other) for mine in me.asked.hosts for other in theirs if meets(mine, other)}
    if any(owner(host) != me.key.namespace for host in common):
        return "HostTaken"
    mine = set(places(me.key.namespace, me.asked.hosts, me.asked.path))
    for other in everybody:
        others = set(places(other.key.namespace, other.asked.hosts, other.asked.path))
        if mine & others and way(me.asked).meets(way(other.asked)) and other.age < me.age:
            return "PathTaken"
    return "granted"


@given(claimants)
def test_the_book_answers_as_looking_at_all_workloads_does(everybody: list[Claimant]) -> None:
    assert [reason(each, everybody) for each in everybody] == [slow_reason(each, everybody) for each in everybody]


@given(claimants, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(everybody: list[Claimant], chance: random.Random) -> None:
    shuffled = chance.sample(everybody, len(everybody))
    assert {each.key: reason(each, shuffled) for each in everybody} == {
        each.key: reason(each, everybody) for each in everybody
    }


@given(claimants)
def test_no_two_workloads_get_one_path_of_one_host_and_one_way(everybody: list[Claimant]) -> None:
    granted = [each for each in everybody if reason(each, everybody) == "granted"]
    for number, one in enumerate(granted):
        for other in granted[number + 1 :]:
            same = set(places("", one.asked.hosts, one.asked.path)) & set(
                places("", other.asked.hosts, other.asked.path)
            )
            assert not (same and way(one.asked).meets(way(other.asked)))


@pytest.mark.security(1)
@given(claimants)
def test_no_host_is_served_for_two_namespaces(everybody: list[Claimant]) -> None:
    granted = [each for each in everybody if reason(each, everybody) == "granted"]
    for one in granted:
        for other in granted:
            if any(meets(mine, theirs) for mine in one.asked.hosts for theirs in other.asked.hosts):
                assert one.key.namespace == other.key.namespace


@given(claimants)
def test_of_those_that_ask_for_one_path_of_every_host_exactly_the_oldest_gets_it(everybody: list[Claimant]) -> None:
    plain = [each for each in everybody if each.asked == Asked("/a")]
    if plain:
        others = [each for each in everybody if each not in plain and each.asked.hosts]
        holders = [each for each in plain if reason(each, [*plain, *others]) == "granted"]
        assert holders == [min(plain, key=lambda each: each.age)]


@given(claimants)
def test_the_oldest_workload_is_never_denied(everybody: list[Claimant]) -> None:
    assert reason(min(everybody, key=lambda each: each.age), everybody) == "granted"


@given(claimants, st.data())
def test_whoever_is_concerned_by_a_change_is_named(everybody: list[Claimant], data: st.DataObject) -> None:
    leaving = data.draw(st.sampled_from(everybody))
    staying = [each for each in everybody if each is not leaving]
    before = {each.key: str(verdict(each, everybody)) for each in staying}
    after = {each.key: str(verdict(each, staying)) for each in staying}
    changed = {key for key in before if before[key] != after[key]}
    for present in (everybody, staying):  # told when it comes as when it goes
        assert changed <= Ledger(present).book.concerned(leaving)


@given(claimants)
def test_a_book_that_everybody_left_is_empty(everybody: list[Claimant]) -> None:
    book = Ledger(everybody).book
    for each in everybody:
        book.put(each.key, None)
    assert all(not book.claimants(place) for each in everybody for place in places("red", each.asked.hosts, "/a"))
    assert all(book.host_owner(host) is None for each in everybody for host in each.asked.hosts)
    assert all(not book.contested(host, "green") for each in everybody for host in each.asked.hosts)
    assert not book.concerned(everybody[0])


def test_a_thousand_workloads_of_one_place_wake_each_other_only_for_the_oldest() -> None:
    everybody = [claimant(f"w{number}", created=number % 60) for number in range(1000)]
    book = Ledger(everybody).book
    oldest = min(everybody, key=lambda each: each.age)
    assert sum(len(book.concerned(each)) for each in everybody) == len(book.concerned(oldest)) == 999


def test_a_workload_alone_on_its_host_asks_nobody() -> None:
    everybody = [claimant(f"w{number}", path=f"/{number}", ingress={"host": "a.example"}) for number in range(50)]
    book = Ledger(everybody).book
    assert book.contested("a.example", "red") == []
    assert book.concerned(everybody[0]) == set()


def test_the_later_one_is_told_whose_the_path_is_and_what_to_do() -> None:
    first, second = claimant("first"), claimant("second", created=1)
    found = verdict(second, [first, second])
    assert found is not None
    assert found.reason == "PathTaken"
    assert "spec.inferenceEndpoint: the path '/a' of every host, by " in found.message
    assert ", belongs to the older workload 'first'; set another path" in found.message
    assert without_advice(found.message).endswith(", belongs to the older workload 'first'")
    assert without_advice("what an older operator wrote") == "what an older operator wrote"


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (IngressWay("nginx"), "by the IngressClass 'nginx'"),
        (IngressWay(""), "by an Ingress of no class"),
        (GatewayWay(GatewayName("infra", "public")), "by the Gateway "),
    ],
)
def test_a_way_is_told_in_words(way: IngressWay | GatewayWay, words: str) -> None:
    assert words in str(way)
    assert "Way(" not in str(way)
    assert "GatewayName(" not in str(way)


def test_no_name_of_another_namespace_is_told() -> None:
    first, second = claimant("secret-project", "blue"), claimant("second", created=1)
    found = verdict(second, [first, second])
    assert found is not None
    assert "an older workload of another namespace" in found.message
    assert "secret-project" not in found.message
    assert "blue" not in found.message


@pytest.mark.parametrize(
    ("way", "field"),
    [
        ({"ingress": {"host": "x.a.example"}}, "spec.ingress.host: 'x.a.example'"),
        (
            {"gateway": {"name": "g", "hostnames": ["b.other", "x.a.example"]}},
            "spec.gateway.hostnames: 'x.a.example'",
        ),
    ],
)
@pytest.mark.parametrize("theirs", ["x.a.example", "*.a.example", "*.example"])
def test_a_host_of_another_tenant_is_refused_by_its_field(way: dict[str, Any], field: str, theirs: str) -> None:
    first = claimant("first", "blue", path="/other", ingress={"host": theirs, "className": "inner"})
    second = claimant("second", created=1, **way)
    found = verdict(second, [first, second])
    assert found is not None
    assert found.reason == "HostTaken"
    assert field in found.message
    assert "first" not in found.message


def test_a_wildcard_over_another_tenants_host_is_refused_too() -> None:
    first = claimant("first", "blue", ingress={"host": "x.a.example"})
    second = claimant("second", created=1, ingress={"host": "*.a.example"})
    assert reason(second, [first, second]) == "HostTaken"
    apex = claimant("apex", created=1, ingress={"host": "a.example"})
    assert reason(apex, [claimant("first", "blue", ingress={"host": "*.a.example"}), apex]) == "granted"


def test_a_wildcard_is_not_ones_own_because_one_host_under_it_is() -> None:
    everybody = [
        claimant("first", "blue", path="/1", ingress={"host": "y.example"}),
        claimant("second", created=1, path="/2", ingress={"host": "*.x.example"}),
        claimant("third", "blue", created=2, path="/3", ingress={"host": "*.example"}),
    ]
    assert [reason(each, everybody) for each in everybody] == ["granted", "granted", "HostTaken"]


def test_a_squatter_on_anothers_host_takes_no_path_of_its_owner() -> None:
    owner = claimant("owner", path="/home", ingress={"host": "a.example"})
    squatter = claimant("squatter", "blue", created=1, path="/new", ingress={"host": "a.example"})
    later = claimant("later", created=2, path="/new", ingress={"host": "a.example"})
    everybody = [owner, squatter, later]
    assert [reason(each, everybody) for each in everybody] == ["granted", "HostTaken", "granted"]


def test_another_class_another_gateway_and_another_listener_are_other_places() -> None:
    everybody = [
        claimant("w1", ingress={"className": "nginx"}),
        claimant("w2", created=1, ingress={"className": "inner"}),
        claimant("w3", created=2, gateway={"name": "public", "namespace": "infra", "sectionName": "http"}),
        claimant("w4", created=3, gateway={"name": "public", "namespace": "infra", "sectionName": "https"}),
        claimant("w5", created=4, gateway={"name": "inner", "namespace": "infra"}),
    ]
    assert {reason(each, everybody) for each in everybody} == {"granted"}
    late_ways: list[dict[str, Any]] = [{}, {"ingress": {}}, {"gateway": {"name": "public", "namespace": "infra"}}]
    for each in late_ways:
        late = claimant("late", created=9, **each)
        assert reason(late, [*everybody, late]) == "PathTaken"


def test_a_slash_at_the_end_makes_no_other_path() -> None:
    first, second = claimant("first", path="/a/"), claimant("second", created=1, path="/a")
    assert reason(second, [first, second]) == "PathTaken"
    assert places("red", (), "/") == [Place("", "", "/")]


def test_a_workload_that_is_being_deleted_or_asks_for_nothing_claims_nothing() -> None:
    view = asking("w")
    leaving = ObjectMeta(name="w", namespace="red", uid=view.metadata.uid, deletion_timestamp="2026-01-01T00:00:00Z")
    assert claimant_of(CustomObject(leaving, view.spec)) is None
    assert claimant_of(CustomObject(view.metadata, b'{"modelName": "m"}')) is None
    assert claimant_of(CustomObject(view.metadata, b'{"inferenceEndpoint": 7}')) is None
    assert claimant_of(view) is not None


def test_a_name_that_is_taken_up_again_is_another_claimant() -> None:
    book = ClaimBook()
    key = ObjectKey("red", "w")
    book.put(key, claimant("w", path="/a"))
    book.put(key, claimant("w", path="/b", created=5))
    assert book.claimants(Place("", "", "/a")) == []
    assert [each.created for each in book.claimants(Place("", "", "/b"))] == ["2026-01-01T00:00:05Z"]
