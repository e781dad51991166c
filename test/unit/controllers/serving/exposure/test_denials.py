"""What becomes of a workload whose path or host belongs to another one, and of what it exposed before."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from aiop.controllers.serving.exposure.claims import Place
from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.kinds import HTTPROUTES
from aiop.controllers.serving.exposure.ledger import CachedLedger
from aiop.controllers.serving.exposure.live import (
    BY_GATEWAY,
    BY_PLACE,
    BY_ROUTE,
    ingress_places,
    ingress_routes,
    route_gateways,
    route_places,
)
from aiop.controllers.serving.plan import Plan
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.events import Event, EventType
from aiop.runtime.informer.store import Store
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta, OwnerReference
from aiop.runtime.views.owned import Owned
from support.claiming import asking
from support.servingworld import NAME, NAMESPACE, World

ROUTE = "/v2/models/bert-base-uncased/infer"
CLUSTER = Cluster(
    gateway_api=True, ingress_classes={"nginx": "k8s.io/ingress-nginx", "alb": "alb"}, default_class="nginx"
)
OLDER, YOUNGER = 0, 59  # the world's own workload is born at second 30


class Neighbours:
    """A world, and the workloads around it, as the caches show them."""

    def __init__(self, **spec: Any) -> None:
        self.ingresses: Store[Owned] = Store({BY_PLACE: ingress_places, BY_ROUTE: ingress_routes})
        self.routes: Store[Owned] = Store({BY_PLACE: route_places, BY_GATEWAY: route_gateways})
        self.ledger = CachedLedger(self.ingresses, self.routes)
        self.world = World(cluster=CLUSTER, ledger=self.ledger)
        self.world.change(**spec)
        self.told(self.world.workload())
        self._version = 0

    def told(self, view: CustomObject) -> None:
        key = ObjectKey(view.metadata.namespace, view.metadata.name)
        self.ledger.workload_changed(Event(EventType.ADDED, key, None, view))

    def change(self, **spec: Any) -> None:
        self.world.change(**spec)
        self.told(self.world.workload())

    def arrives(self, name: str, namespace: str = NAMESPACE, **given: Any) -> CustomObject:
        view = asking(name, namespace, **given)
        self.told(view)
        return view

    def leaves(self, view: CustomObject) -> None:
        key = ObjectKey(view.metadata.namespace, view.metadata.name)
        self.ledger.workload_changed(Event(EventType.DELETED, key, view, None))

    def exposes(self, view: CustomObject, path: str, *, route: str = "", class_name: str = "nginx") -> Owned:
        """Its Ingress is in the cache."""
        self._version += 1
        meta = view.metadata
        owner = OwnerReference("geartickler.com/v1alpha1", "AIWorkload", meta.name, meta.uid, controller=True)
        content = {"ingressClassName": class_name, "rules": [{"http": {"paths": [{"path": path}]}}]}
        ingress = Owned(
            ObjectMeta(
                name=meta.name,
                namespace=meta.namespace,
                resource_version=str(self._version),
                annotations={"geartickler.com/route": route} if route else {},
                owner_references=(owner,),
            ),
            msgspec.json.encode(content),
        )
        self.ingresses.put(ingress)
        return ingress

    def settle(self) -> Plan:
        self.world.settle()
        return self.world.plan()


def denial(plan: Plan) -> str:
    assert plan.exposure is not None
    return plan.exposure.denial.reason if plan.exposure.denial else ""


def test_a_path_that_is_taken_is_served_inside_and_not_exposed() -> None:
    around = Neighbours()
    around.arrives("first", created=OLDER, path="/api/v1/predict")
    plan = around.settle()
    assert plan.refusal is None
    assert denial(plan) == "PathTaken"
    assert around.world.counts() == {"v1": 2}
    assert around.world.of(INGRESSES) == []


def test_the_older_workload_hears_nothing_of_the_younger_one() -> None:
    around = Neighbours()
    around.arrives("second", created=YOUNGER, path="/api/v1/predict")
    assert denial(around.settle()) == ""
    assert len(around.world.of(INGRESSES)) == 1


def test_the_path_is_handed_over_when_its_holder_leaves_or_moves() -> None:
    around = Neighbours()
    first = around.arrives("first", created=OLDER, path="/api/v1/predict")
    around.settle()
    around.leaves(first)
    assert denial(around.settle()) == ""
    assert len(around.world.of(INGRESSES)) == 1


def test_a_workload_that_is_being_deleted_hands_its_path_over_at_once() -> None:
    around = Neighbours()
    first = around.arrives("first", created=OLDER, path="/api/v1/predict")
    leaving = CustomObject(
        ObjectMeta(name="first", namespace=NAMESPACE, uid=first.metadata.uid, deletion_timestamp="2026-01-02"),
        first.spec,
    )
    around.told(leaving)
    assert denial(around.settle()) == ""


def test_what_was_exposed_before_stays_as_it_was_while_a_new_path_is_waited_for() -> None:
    around = Neighbours()
    around.settle()
    around.arrives("first", created=OLDER, path="/taken")
    around.change(inferenceEndpoint="/taken")
    assert denial(around.settle()) == "PathTaken"
    (ingress,) = around.world.of(INGRESSES)
    assert ingress.content["rules"][0]["http"]["paths"][0]["path"] == "/api/v1/predict"


def test_what_was_exposed_before_goes_when_another_workload_asks_for_it() -> None:
    around = Neighbours()
    around.settle()
    around.arrives("first", created=OLDER, path="/taken")
    around.change(inferenceEndpoint="/taken")
    around.settle()
    newcomer = around.arrives("newcomer", "other", created=YOUNGER, path="/api/v1/predict")
    around.settle()
    assert around.world.of(INGRESSES) == []
    ingress = around.exposes(around.world.workload(), "/api/v1/predict")
    assert ingress.metadata.name == NAME
    assert around.ledger.concerned_by_workload(newcomer) == {ObjectKey(NAMESPACE, NAME)}


def test_a_path_that_an_older_workload_comes_to_ask_for_is_given_up() -> None:
    around = Neighbours()
    around.settle()
    around.arrives("older", created=OLDER, path="/api/v1/predict")
    assert denial(around.settle()) == "PathTaken"
    assert around.world.of(INGRESSES) == []


def test_everything_is_given_up_too_by_a_workload_that_no_longer_asks_for_it() -> None:
    around = Neighbours(inferenceEndpoint="/")
    around.settle()
    around.change(framework="Fortran", inferenceEndpoint=None)
    around.arrives("younger", created=YOUNGER, path="/")
    around.settle()
    assert around.world.of(INGRESSES) == []


def test_a_route_of_a_gateway_is_claimed_as_an_ingress_is() -> None:
    gateway = {"name": "public", "namespace": "infra", "hostnames": ["a.example"]}
    around = Neighbours(gateway=gateway)
    around.settle()
    assert len(around.world.of(HTTPROUTES)) == 1
    around.arrives("older", "other", created=OLDER, ingress={"host": "a.example"})
    assert denial(around.settle()) == "HostTaken"
    assert around.world.of(HTTPROUTES) == []


def conditions(around: Neighbours) -> dict[str, tuple[str, str]]:
    observed = around.world.observe()
    report = make_report(observed, around.world.plan(), Hindrance(), around.world.now)
    return {each.type: (each.status, each.reason) for each in report.after}


def test_a_denied_workload_says_so_and_serves() -> None:
    around = Neighbours()
    around.arrives("first", created=OLDER, path="/api/v1/predict")
    around.settle()
    found = conditions(around)
    assert found["Accepted"] == found["Ready"] == found["EndpointReady"] == ("False", "PathTaken")
    assert found["Stalled"] == ("True", "PathTaken")
    assert (found["Available"][0], found["Progressing"]) == ("True", ("False", "RolloutComplete"))
    assert found["Degraded"] == ("False", "Healthy")


def test_a_denied_workload_that_rolls_out_is_at_work_and_not_stuck() -> None:
    around = Neighbours()
    around.arrives("first", created=OLDER, path="/api/v1/predict")
    found = conditions(around)
    assert found["Progressing"] == found["Reconciling"] == ("True", "RollingOut")
    assert "Stalled" not in found
    assert found["Accepted"] == ("False", "PathTaken")


# The server's own route, where the class rewrites nothing.


def paths(around: Neighbours) -> list[str]:
    around.settle()
    (ingress,) = around.world.of(INGRESSES)
    return [each["path"] for each in ingress.content["rules"][0]["http"]["paths"]]


def test_a_route_that_another_workload_asks_for_is_left_to_it() -> None:
    around = Neighbours(ingress={"className": "alb"})
    assert paths(around) == ["/api/v1/predict", ROUTE]
    younger = around.arrives("younger", created=YOUNGER, path=ROUTE, ingress={"className": "alb"})
    assert paths(around) == ["/api/v1/predict"]
    plan = around.world.plan()
    assert plan.exposure is not None
    assert plan.exposure.path == ""
    around.leaves(younger)
    assert paths(around) == ["/api/v1/predict", ROUTE]


def test_of_two_workloads_with_one_route_the_older_one_leads_to_it() -> None:
    around = Neighbours(ingress={"className": "alb"})
    given: dict[str, Any] = {"path": "/other", "ingress": {"className": "alb"}}
    younger = around.arrives("younger", created=YOUNGER, **given)
    around.exposes(younger, "/other", route=ROUTE, class_name="alb")
    assert paths(around) == ["/api/v1/predict", ROUTE]
    older = around.arrives("older", created=OLDER, **given)
    around.exposes(older, "/other", route=ROUTE, class_name="nginx")
    assert paths(around) == ["/api/v1/predict", ROUTE], "of another class"
    around.exposes(older, "/other", route=ROUTE, class_name="alb")
    assert paths(around) == ["/api/v1/predict"]
    around.leaves(older)
    assert paths(around) == ["/api/v1/predict", ROUTE]


def test_whoever_waits_for_a_route_is_woken_by_who_has_it() -> None:
    around = Neighbours()
    one, other = around.arrives("one", path="/1"), around.arrives("other", path="/2")
    first = around.exposes(one, "/1", route=ROUTE, class_name="alb")
    second = around.exposes(other, "/2", route=ROUTE, class_name="alb")
    assert around.ledger.concerned_by_ingress(first) == {ObjectKey(NAMESPACE, "other")}
    assert around.ledger.concerned_by_ingress(second) == {ObjectKey(NAMESPACE, "one")}
    asks = asking("third", path=ROUTE)
    assert set(around.ledger.concerned_by_workload(asks)) == {
        ObjectKey(NAMESPACE, "one"),
        ObjectKey(NAMESPACE, "other"),
    }


def test_a_change_of_status_alone_leaves_what_is_asked_for() -> None:
    around = Neighbours()
    before = asking("one")
    around.told(before)
    after = CustomObject(before.metadata, b"{}", b'{"replicas": 1}')  # a spec that would ask for nothing
    around.ledger.workload_changed(Event(EventType.MODIFIED, ObjectKey(NAMESPACE, "one"), before, after))
    assert [each.key.name for each in around.ledger.claimants(Place("", "", "/a"))] == ["one"]


# What stays exposed though nobody asks for it any more, until somebody else does.


@pytest.mark.parametrize("gateway_api", [True, False])
def test_an_ingress_that_waits_for_a_gateway_goes_when_another_workload_asks_for_its_path(gateway_api: bool) -> None:
    around = Neighbours()
    around.settle()
    around.change(gateway={"name": "nowhere"})
    around.world.cluster = replace(CLUSTER, gateway_api=gateway_api)
    around.settle()
    assert len(around.world.of(INGRESSES)) == 1
    around.arrives("newcomer", "other", created=YOUNGER, path="/api/v1/predict")
    around.settle()
    assert around.world.of(INGRESSES) == []


@pytest.mark.parametrize(
    "spec",
    [{"inferenceEndpoint": "/b"}, {"inferenceEndpoint": None}, {"ingress": {"host": "mine.example"}}],
)
def test_a_spec_that_cannot_be_served_gives_up_a_path_that_only_another_workload_asks_for(spec: dict[str, Any]) -> None:
    around = Neighbours()
    around.settle()
    around.change(**spec, runtime="nowhere")
    around.settle()
    assert len(around.world.of(INGRESSES)) == 1
    around.arrives("newcomer", "other", created=YOUNGER, path="/api/v1/predict")
    plan = around.settle()
    assert plan.refusal is not None
    assert around.world.of(INGRESSES) == []
    assert around.world.counts() == {"v1": 2}


def test_a_spec_that_cannot_be_served_keeps_a_path_that_it_asks_for_first() -> None:
    around = Neighbours()
    around.settle()
    around.change(runtime="nowhere")
    # Each of another way of asking that comes to the same class.
    around.arrives("newcomer", "other", created=YOUNGER, path="/api/v1/predict", ingress={"className": "nginx"})
    around.settle()
    assert len(around.world.of(INGRESSES)) == 1
    around.arrives("older", "other", created=OLDER, path="/api/v1/predict", ingress={"className": "nginx"})
    around.settle()
    assert around.world.of(INGRESSES) == []


def test_a_host_that_another_namespace_asks_for_goes_with_a_spec_that_no_longer_does() -> None:
    around = Neighbours(ingress={"host": "a.example"})
    around.settle()
    around.change(ingress={"host": "b.example"}, runtime="nowhere")
    around.arrives("neighbour", created=YOUNGER, path="/other", ingress={"host": "a.example"})
    around.settle()
    assert len(around.world.of(INGRESSES)) == 1
    around.arrives("first", "other", created=OLDER, path="/other", ingress={"host": "a.example"})
    around.settle()
    assert around.world.of(INGRESSES) == []


def test_a_class_that_is_no_longer_the_default_is_left_to_a_workload_that_names_it_and_the_path() -> None:
    around = Neighbours()
    around.settle()
    around.world.cluster = replace(CLUSTER, default_class="")
    around.settle()
    assert around.world.of(INGRESSES)[0].content["ingressClassName"] == "nginx"
    around.arrives("newcomer", "other", created=YOUNGER, path="/api/v1/predict", ingress={"className": "nginx"})
    around.settle()
    (ingress,) = around.world.of(INGRESSES)
    assert "ingressClassName" not in ingress.content
