"""How a workload is to be exposed: which objects there should be, which should go, and what speaks against it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiop.controllers.serving.children.httproute import http_route
from aiop.controllers.serving.children.ingress import IngressPath, ingress
from aiop.controllers.serving.children.middleware import middleware_annotation, replace_path
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.acceptance import refusal_of_route
from aiop.controllers.serving.exposure.asked import Asked
from aiop.controllers.serving.exposure.claims import Claimant, claimant_of, denial
from aiop.controllers.serving.exposure.handover import belongs_to_another, claimed_by_others, claimed_ingress
from aiop.controllers.serving.exposure.kinds import HTTPROUTES, MIDDLEWARES
from aiop.controllers.serving.exposure.live import ROUTE_ANNOTATION, Exposed, exposed_by_ingress
from aiop.controllers.serving.exposure.rewrites import rewriting, unrewritten
from aiop.controllers.serving.exposure.routes import Destination
from aiop.controllers.serving.exposure.ways import DefaultWays, GatewayWay, IngressWay, Way, way_of
from aiop.controllers.serving.leftovers import Deletion, deletion
from aiop.controllers.serving.observed import Observed
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.client.resource import Resource
from aiop.runtime.controller.children import Child
from aiop.runtime.views.owned import Owned


@dataclass(frozen=True, slots=True)
class ExposurePlan:
    """``children`` are in the order in which one refers to the other; ``way`` is None if nothing is asked for.

    ``denial`` is set if what is asked for belongs to another workload: then nothing is made. ``path`` is the one that
    clients use; it differs from what was asked for where the class rewrites nothing, and is empty where then no path
    leads to the server's own route.
    """

    asked: Asked | None = None
    way: Way | None = None
    path: str = ""
    route: str = ""
    children: tuple[Child, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    denial: NotAccepted | None = None


def plan_exposure(observed: Observed, defaults: DefaultWays, to: Destination) -> ExposurePlan:
    """The plan for a spec that makes sense; ``to`` is where its path should lead."""
    me = claimant_of(observed.workload)
    if me is None:
        return ExposurePlan(deletions=_all_but(observed, ()))
    way = way_of(me.asked, defaults, observed.cluster)
    denied = denial(me, observed.ledger, lambda asked: way_of(asked, defaults, observed.cluster))
    if denied is not None:
        return ExposurePlan(me.asked, way, denial=denied, deletions=claimed_by_others(observed, defaults))
    if isinstance(way, GatewayWay):
        return _by_gateway(observed, me.asked, way, defaults, to)
    return _by_ingress(observed, me, way, defaults, to)


def _by_gateway(
    observed: Observed, asked: Asked, way: GatewayWay, defaults: DefaultWays, to: Destination
) -> ExposurePlan:
    # An Ingress that serves goes only once the Gateway does, or when somebody else asks for what it exposes.
    given_up = claimed_ingress(observed, defaults)
    if not observed.cluster.gateway_api:
        return ExposurePlan(asked, way, deletions=given_up)
    child = http_route(observed.key, asked, way.gateway, to)
    live = observed.http_route
    taken_up = live is not None and refusal_of_route(live, way.gateway) is None
    gone = _all_but(observed, (child,)) if taken_up else given_up
    return ExposurePlan(asked, way, asked.path, to.route, (child,), gone)


def _by_ingress(
    observed: Observed, me: Claimant, way: IngressWay, defaults: DefaultWays, to: Destination
) -> ExposurePlan:
    asked = me.asked
    # An Ingress is given the default class only when it is made, so the class is always written out; one that has a
    # class does not lose it because no class is the default any more, unless another workload asks for its path there.
    class_name = way.class_name or ("" if claimed_ingress(observed, defaults) else _live_class(observed))
    controller = observed.cluster.ingress_classes.get(class_name, "")
    found = rewriting(controller, to, traefik_api=observed.cluster.traefik_api)
    before: tuple[Child, ...] = ()
    annotations: Mapping[str, str] = unrewritten(controller)
    paths = [IngressPath(asked.path, exact=bool(to.route))]
    works = asked.path
    if to.route and to.route != asked.path:
        if found is None:
            works = to.route if _is_free(observed, me, IngressWay(class_name), defaults, to.route) else ""
            paths = [IngressPath(asked.path, exact=False), *([IngressPath(works, exact=True)] if works else [])]
            annotations = {**annotations, ROUTE_ANNOTATION: to.route}
        elif found.replaced_by:
            middleware = replace_path(observed.key, found.replaced_by)
            before, annotations = (middleware,), middleware_annotation(middleware.key)
        else:
            annotations = found.annotations
    child = ingress(observed.key, asked, class_name, to.service, paths, annotations)
    children = (*before, child)
    return ExposurePlan(asked, way, works, to.route, children, _all_but(observed, children))


def _live_class(observed: Observed) -> str:
    """The class of the Ingress that there is."""
    if observed.ingress is None:
        return ""
    found = exposed_by_ingress(observed.ingress).way
    return found.class_name if isinstance(found, IngressWay) else ""


def _is_free(observed: Observed, me: Claimant, way: IngressWay, defaults: DefaultWays, route: str) -> bool:
    """True if no other workload asks for that path, and no older one would lead to the same route."""
    if belongs_to_another(observed, Exposed(way, me.asked.hosts, (route,)), defaults):
        return False
    for other in observed.ledger.leading_to(me.asked.hosts, route):
        owner = observed.ledger.owner(other)
        if owner is not None and owner.age < me.age and exposed_by_ingress(other).way == way:
            return False
    return True


def _all_but(observed: Observed, children: Sequence[Child]) -> tuple[Deletion, ...]:
    """What exposes the workload and is not among ``children``; what others refer to goes last."""
    wanted = {(child.resource, child.key.name) for child in children}
    live: list[tuple[Resource, Owned]] = [
        *([(INGRESSES, observed.ingress)] if observed.ingress else []),
        *([(HTTPROUTES, observed.http_route)] if observed.http_route else []),
        *((MIDDLEWARES, each) for each in observed.middlewares.values()),
    ]
    return tuple(deletion(kind, view) for kind, view in live if (kind, view.metadata.name) not in wanted)
