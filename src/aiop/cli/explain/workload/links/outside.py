"""Servers are ready and cannot be reached: inside, as no endpoint is there; outside, by Ingress or Gateway."""

from dataclasses import replace

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.advice import fix_of
from aiop.cli.explain.workload.links.conditions import stated
from aiop.cli.explain.workload.replay import CLAIMED, Scene
from aiop.controllers.serving.exposure.claims import without_advice
from aiop.controllers.serving.exposure.outside import outside

# What is seen on the HTTPRoute itself; the operator's word for it may be older.
_OF_ROUTES = frozenset(
    {"GatewayPending", "NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent", "RouteRefused",
     "RouteUnresolved"}
)  # fmt: skip
_SOON = frozenset({"NotExposed", "GatewayPending"})


def not_behind_the_service(scene: Scene) -> Finding | None:
    """Ready servers, of which none stands behind the stable Service."""
    ready = scene.conditions["Ready"]
    observed = scene.evidence.observed
    if ready.reason != "NoReadyEndpoint" or not scene.evidence.seen:
        return None
    return Finding(
        ready.reason,
        ready.message,
        Source("Service", observed.key.name, "its EndpointSlices"),
        next="the endpoints of a Service follow its pods within seconds",
        fix="if this lasts, compare the Service's selector with the labels of the pods",
    )


def not_reached(scene: Scene) -> Finding | None:
    """Why clients from outside do not get through as asked."""
    denied = scene.evidence.conditions.get("Accepted")
    if denied is not None and denied.status == "False" and denied.reason in CLAIMED:
        return _taken(stated(scene, "Accepted", denied.reason, denied.message))
    observed = scene.evidence.observed
    fresh = outside(observed, None)
    if not fresh.ok:
        return Finding(
            fresh.reason,
            fresh.message,
            Source("HTTPRoute", observed.key.name, "status.parents"),
            next="the Gateway's controller looks again when either changes",
            fix=fix_of(fresh.reason),
        )
    said = scene.evidence.conditions.get("EndpointReady")
    mended = said is not None and said.reason in _OF_ROUTES and observed.http_route is not None
    if said is None or said.status != "False" or mended or said.reason in {"NoReadyEndpoint", "ScaledToZero"}:
        return None
    soon = "a controller should answer in a moment" if said.reason in _SOON else ""
    return stated(scene, "EndpointReady", said.reason, said.message, next_step=soon)


def _taken(found: Finding) -> Finding:
    """The condition says all at once what a reader of three lines has in its places."""
    what = "host" if found.reason == "HostTaken" else "path"
    return replace(
        found,
        message=without_advice(found.message),
        next=f"inside the cluster it is served; it gets the {what} once the other one lets go of it",
        fix=found.fix.partition(".")[0] if what == "path" else found.fix,
    )
