"""Where the outside path leads to while revisions come and go."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.routes import Destination, Serving, destination, known_route
from aiop.controllers.serving.names import revision_name
from aiop.controllers.serving.revision import RevisionData
from aiop.runtime.client.builtin import CONTROLLERREVISIONS, INGRESSES
from support.servingspecs import runtime_spec
from support.servingworld import NAME, World

NGINX = Cluster(ingress_classes={"nginx": "k8s.io/ingress-nginx"}, default_class="nginx")
REWRITE = "nginx.ingress.kubernetes.io/rewrite-target"
servings = st.lists(st.builds(Serving, st.sampled_from("abcd"), st.sampled_from(["/v1", "/v2", ""]), st.integers(0, 3)))


def test_one_route_is_served_by_the_stable_service() -> None:
    target = Serving("new", "/v2", 0)
    assert destination("stable", target, []) == Destination("stable", "/v2")
    assert destination("stable", target, [Serving("old", "/v2", 3)]) == Destination("stable", "/v2")
    assert destination("stable", Serving("new", None, 0), []) == Destination("stable", "")


def test_with_two_routes_the_stronger_revision_is_served_by_its_own_service() -> None:
    old = Serving("old", "/v1", 2)
    assert destination("stable", Serving("new", "/v2", 1), [old]) == Destination("old", "/v1")
    assert destination("stable", Serving("new", "/v2", 2), [old]) == Destination("new", "/v2")


def test_a_server_without_a_route_is_another_route_too() -> None:
    found = destination("stable", Serving("new", "/v2", 0), [Serving("old", "", 1)])
    assert found == Destination("old", "")


def test_a_route_that_nobody_knows_is_taken_to_be_the_targets() -> None:
    found = destination("stable", Serving("new", "/v2", 0), [Serving("old", None, 1)])
    assert found == Destination("stable", "/v2")


@given(st.builds(Serving, st.just("new"), st.sampled_from(["/v1", "/v2", ""]), st.integers(0, 3)), servings)
def test_a_path_never_leads_to_a_server_of_another_route(target: Serving, others: list[Serving]) -> None:
    found = destination("stable", target, others)
    reached = [target, *others] if found.service == "stable" else [*_called(found.service, target, others)]
    assert {each.route for each in reached} == {found.route}
    assert max(each.ready for each in reached) == max(each.ready for each in [target, *others])


def _called(name: str, target: Serving, others: list[Serving]) -> list[Serving]:
    return [next(each for each in sorted([target, *others], key=lambda each: -each.ready) if each.service == name)]


def test_what_was_recorded_counts_and_else_the_runtime_of_today() -> None:
    runtimes = {"own": runtime_spec({"image": "a:1", "ports": [_port()], "model": _MOUNT, "route": "/now/{model}"})}
    recorded = RevisionData({}, "", runtime="own", route="/then/m")
    assert known_route(recorded, runtimes, "m") == "/then/m"
    assert known_route(RevisionData({}, "", runtime="own"), runtimes, "m") == "/now/m"
    assert known_route(RevisionData({}, "", runtime="gone"), runtimes, "m") is None


_MOUNT = {"mode": "Mount"}


def _port() -> dict[str, Any]:
    return {"name": "http", "containerPort": 8080}


def world_of_two_routes() -> World:
    """Served by one runtime, and just told to be served by another one, whose route differs."""
    world = World(cluster=NGINX)
    world.runtimes["other"] = runtime_spec(
        {"image": "other:1", "ports": [_port()], "model": _MOUNT, "route": "/v1/models/{model}:predict"}
    )
    world.change(replicas=4)
    world.settle()
    world.ready_at_once = 1
    world.change(runtime="other", modelVersion="v2")
    return world


def outside(world: World) -> tuple[str, str]:
    """The Service and the route that the Ingress leads to."""
    (ingress,) = world.of(INGRESSES)
    (path,) = ingress.content["rules"][0]["http"]["paths"]
    return path["backend"]["service"]["name"], ingress.body["metadata"]["annotations"][REWRITE]


@pytest.mark.parametrize("scaling", [None, {"enabled": True, "minReplicas": 4, "maxReplicas": 8}])
def test_a_rollout_between_routes_never_asks_a_server_by_the_others_route(scaling: dict[str, Any] | None) -> None:
    world = world_of_two_routes()
    world.change(autoscaling=scaling)
    seen = []
    for _ in range(60):
        world.step()
        service, route = outside(world)
        seen.append((service, route))
        routes = {
            revision_name(NAME, pod.revision): world.things[CONTROLLERREVISIONS, pod.deployment].body["data"]["route"]
            for pod in world.pods
        }
        reached = set(routes.values()) if service == NAME else {routes[service]}
        assert reached == {route}
    assert world.counts() == {"v2": 4}
    assert seen[-1] == (NAME, "/v1/models/bert-base-uncased:predict")
    moves = [one for one, other in pairwise(seen) if one != other]
    assert len(moves) == 2, "from the old revision to the new one, and from that to the stable Service"


def test_a_rollout_of_one_route_leaves_the_ingress_alone() -> None:
    world = World(cluster=NGINX)
    world.settle()
    before = world.of(INGRESSES)[0].generation
    world.change(modelVersion="v2")
    world.settle()
    assert world.of(INGRESSES)[0].generation == before
    assert outside(world) == (NAME, "/v2/models/bert-base-uncased/infer")


def test_a_route_is_kept_with_its_revision_when_the_runtime_changes() -> None:
    world = world_of_two_routes()
    world.settle()
    world.runtimes["other"] = world.runtimes["other"].model_copy(update={"route": "/v3/{model}"})
    world.settle()
    assert outside(world) == (NAME, "/v1/models/bert-base-uncased:predict")
