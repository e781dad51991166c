"""Which ingress controllers rewrite a path, and by which annotation. Pure.

Each annotation and its meaning are of the controller's own documentation and source. Only what replaces the whole path
stands here. Kong's `konghq.com/rewrite` does not: its feature gate RewriteURIs is off by default, and nothing shows
whether it is on.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiop.controllers.serving.exposure.routes import Destination

# What no annotation reads as anything but a path: no $, %, \\, quote, space or bracket.
_PLAIN = re.compile(r"/[A-Za-z0-9._~/:-]*")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How an Ingress leads a path to a route. ``replaced_by`` is what a Traefik Middleware is to replace it with."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class _Controller:
    """A controller's way; ``unrewritten`` are annotations by which a path reaches the server as it is."""

    rewrite: Callable[[Destination], Rewriting] | None
    unrewritten: Mapping[str, str] = field(default_factory=dict)


def _by_annotation(name: str) -> _Controller:
    return _Controller(lambda to: Rewriting({name: to.route}))


def _nginx_org(to: Destination) -> Rewriting:
    return Rewriting({"nginx.org/rewrites": f"serviceName={to.service} rewrite={to.route}"})


# By IngressClass.spec.controller, which may have a further part after a slash where a cluster runs several.
_CONTROLLERS = {
    "k8s.io/ingress-nginx": _by_annotation("nginx.ingress.kubernetes.io/rewrite-target"),
    "haproxy.org/ingress-controller": _by_annotation("haproxy.org/path-rewrite"),
    "haproxy-ingress.github.io/controller": _by_annotation("haproxy-ingress.github.io/rewrite-target"),
    "apisix.apache.org/apisix-ingress-controller": _by_annotation("k8s.apisix.apache.org/rewrite-target"),
    "nginx.org/ingress-controller": _Controller(_nginx_org),
    "traefik.io/ingress-controller": _Controller(lambda to: Rewriting(replaced_by=to.route)),
    "ingress-controllers.konghq.com/kong": _Controller(None, {"konghq.com/strip-path": "false"}),
}


def rewriting(controller: str, to: Destination, *, traefik_api: bool) -> Rewriting | None:
    """How ``controller`` leads a path to ``to.route``; None if it cannot, or is not known to."""
    known = _known(controller)
    if known is None or known.rewrite is None or _PLAIN.fullmatch(to.route) is None:
        return None
    found = known.rewrite(to)
    return None if found.replaced_by and not traefik_api else found


def unrewritten(controller: str) -> Mapping[str, str]:
    """The annotations by which ``controller`` leaves a path as it is; most do so by themselves."""
    known = _known(controller)
    return known.unrewritten if known else {}


def _known(controller: str) -> _Controller | None:
    if controller in _CONTROLLERS:
        return _CONTROLLERS[controller]
    return next((known for name, known in _CONTROLLERS.items() if controller.startswith(f"{name}/")), None)
