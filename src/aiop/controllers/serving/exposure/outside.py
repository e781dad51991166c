"""How it stands with the outside address: what EndpointReady says once servers answer, and `status.url`. Pure."""

from dataclasses import dataclass

from aiop.controllers.serving.exposure.acceptance import refusal_of_route
from aiop.controllers.serving.exposure.exposing import ExposurePlan
from aiop.controllers.serving.exposure.gateways import gateway_url
from aiop.controllers.serving.exposure.live import exposed_by_route
from aiop.controllers.serving.exposure.ways import GatewayWay, IngressWay
from aiop.controllers.serving.observed import Observed
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.views.owned import IngressStatus

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Outside:
    """``url`` is empty as long as no outside address is known; then the Service's own is."""

    ok: bool
    reason: str
    message: str
    url: str = ""


def outside(observed: Observed, plan: ExposurePlan | None) -> Outside:
    """``plan`` is None for a spec that makes no sense: then what there is goes on."""
    if plan is None:
        return _as_it_is(observed)
    if plan.denial is not None:
        left = _kept(observed)
        return Outside(False, plan.denial.reason, f"{plan.denial.message}. {left}".strip())
    if plan.way is None:
        return _inside()
    return _by_gateway(observed, plan, plan.way) if isinstance(plan.way, GatewayWay) else _by_ingress(observed, plan)


def _inside() -> Outside:
    return Outside(True, "EndpointsReady", "the Service answers inside the cluster")


def _as_it_is(observed: Observed) -> Outside:
    if observed.http_route is not None:
        way = exposed_by_route(observed.http_route).way
        if isinstance(way, GatewayWay):
            refusal = refusal_of_route(observed.http_route, way.gateway)
            if refusal is not None:
                return Outside(False, refusal.reason, refusal.message)
            return Outside(
                True, "EndpointsReady", f"the Service answers; the Gateway {way.gateway} leads to it as before"
            )
    if observed.ingress is not None:
        return Outside(True, "EndpointsReady", f"the Service answers; its Ingress {_where(observed)}")
    return _inside()


def _kept(observed: Observed) -> str:
    kept = [
        *(["Ingress"] if observed.ingress is not None else []),
        *(["HTTPRoute"] if observed.http_route is not None else []),
    ]
    return f"The {' and the '.join(kept)} of the last good spec stays as it is." if kept else ""


def _by_gateway(observed: Observed, plan: ExposurePlan, way: GatewayWay) -> Outside:
    gateway = way.gateway
    if not observed.cluster.gateway_api:
        return Outside(
            False,
            "GatewayAPIMissing",
            f"spec.gateway names the Gateway {gateway}, and this cluster does not serve the Gateway API "
            "(gateway.networking.k8s.io/v1): install its CRDs and a controller, or set spec.ingress instead; the "
            f"HTTPRoute is made as soon as the API is served. {_kept(observed)}".rstrip(),
        )
    if observed.http_route is None or plan.asked is None:
        return _not_exposed("HTTPRoute")
    refusal = refusal_of_route(observed.http_route, gateway)
    if refusal is not None:
        return Outside(False, refusal.reason, refusal.message)
    leads = f"leads {plan.path} to {plan.route}" if plan.route else f"leads {plan.path} to the servers as it is"
    view = observed.gateways.get(ObjectKey(gateway.namespace, gateway.name))
    url = gateway_url(view, gateway.section, plan.asked.hosts, plan.path) if view is not None else ""
    return Outside(True, "EndpointsReady", f"the Service answers; the Gateway {gateway} {leads}", url)


def _by_ingress(observed: Observed, plan: ExposurePlan) -> Outside:
    if observed.ingress is None or plan.asked is None:
        return _not_exposed("Ingress")
    where = f"the Service answers; its Ingress {_where(observed)}{_nobody_sees_to_it(observed, plan)}"
    if plan.path == plan.asked.path:
        return Outside(True, "EndpointsReady", where, _ingress_url(observed, plan))
    return _unrewritten(observed, plan, where)


def _unrewritten(observed: Observed, plan: ExposurePlan, where: str) -> Outside:
    asked = plan.asked.path if plan.asked else ""
    name = plan.way.class_name if isinstance(plan.way, IngressWay) else ""
    which = f"the IngressClass {name!r}" if name else "an Ingress without a class"
    why = f"{which} is not known to rewrite paths, so {asked} reaches the server as it is"
    fix = "for a path of your own take a class that rewrites, or a Gateway"
    if plan.path:
        message = f"{where}; {why}: clients use the server's own route {plan.path}; {fix}"
        return Outside(True, "PathNotRewritten", message, _ingress_url(observed, plan))
    message = (
        f"{why}, and the server's own route {plan.route} is exposed by another workload: set spec.ingress.host to a "
        f"host of its own; {fix}"
    )
    return Outside(False, "NoWorkingPath", message)


def _not_exposed(kind: str) -> Outside:
    return Outside(False, "NotExposed", f"there is no {kind} yet; if this lasts, Ready says why it could not be made")


def _where(observed: Observed) -> str:
    addresses = _addresses(observed)
    return f"is at {', '.join(addresses)}" if addresses else "has no address from a controller yet"


def _nobody_sees_to_it(observed: Observed, plan: ExposurePlan) -> str:
    """Why no controller may ever give it an address; some serve classes of which there is no object."""
    name = plan.way.class_name if isinstance(plan.way, IngressWay) else ""
    if _addresses(observed) or name in observed.cluster.ingress_classes:
        return ""
    return (
        f", and there is no IngressClass {name!r}" if name else ", names no IngressClass, and there is no default one"
    )


def _addresses(observed: Observed) -> tuple[str, ...]:
    if observed.ingress is None:
        return ()
    found = observed.ingress.status_as(IngressStatus).load_balancer.ingress
    return tuple(address.hostname or address.ip for address in found if address.hostname or address.ip)


def _ingress_url(observed: Observed, plan: ExposurePlan) -> str:
    """By the host if it is no wildcard, else by the controller's first address; empty while neither is known."""
    asked = plan.asked
    if asked is None:
        return ""
    host = next((each for each in asked.hosts if "*" not in each), None) or next(iter(_addresses(observed)), "")
    bracketed = f"[{host}]" if ":" in host else host
    scheme = "https" if asked.tls_secret_name else "http"
    return f"{scheme}://{bracketed}{_port(observed, scheme)}{plan.path}" if host else ""


def _port(observed: Observed, scheme: str) -> str:
    """As it stands in a URL: nothing, unless the controller lists ports and the scheme's own is not among them."""
    found = observed.ingress.status_as(IngressStatus).load_balancer.ingress if observed.ingress else ()
    listed = [each.port for each in found[0].ports] if found else []
    return f":{listed[0]}" if listed and _USUAL_PORTS[scheme] not in listed else ""
