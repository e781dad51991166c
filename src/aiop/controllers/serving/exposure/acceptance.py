"""Whether a Gateway has taken an HTTPRoute up, in its own words. Pure."""

from collections.abc import Iterable

import msgspec

from aiop.controllers.serving.diagnosis import Cause
from aiop.controllers.serving.exposure.asked import GatewayName
from aiop.runtime.views.nulls import nulls_left_out
from aiop.runtime.views.owned import Owned

# A controller's message may be long; its beginning says what is wrong.
_WORDS = 400


class _Condition(msgspec.Struct, rename="camel"):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    observed_generation: int = 0


class _Parent(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    section_name: str = ""


class _RouteParent(msgspec.Struct, rename="camel"):
    parent_ref: _Parent = msgspec.field(default_factory=_Parent)
    conditions: tuple[_Condition, ...] = ()


class _RouteStatus(msgspec.Struct):
    parents: tuple[_RouteParent, ...] = ()


_status = nulls_left_out(msgspec.json.Decoder(_RouteStatus).decode)


def refusal_of_route(route: Owned, gateway: GatewayName) -> Cause | None:
    """Why ``gateway`` does not serve the route as it is now; None once it says that it does.

    What was said of an older generation does not count. One of several controllers is enough.
    """
    answers = [
        _refusal(parent.conditions, route.metadata.generation, gateway)
        for parent in _parents(route)
        if _is(parent.parent_ref, gateway, route.metadata.namespace)
    ]
    if not answers:
        return _pending(gateway)
    return None if None in answers else answers[0]


def _parents(route: Owned) -> Iterable[_RouteParent]:
    try:
        return _status(route.status).parents
    except msgspec.DecodeError:
        return ()


def _is(parent: _Parent, gateway: GatewayName, namespace: str) -> bool:
    found = GatewayName(parent.namespace or namespace, parent.name, parent.section_name)
    return found == gateway


def _refusal(conditions: Iterable[_Condition], generation: int, gateway: GatewayName) -> Cause | None:
    said = {each.type: each for each in conditions if each.observed_generation >= generation}
    accepted, resolved = said.get("Accepted"), said.get("ResolvedRefs")
    if accepted is not None and accepted.status == "False":
        return Cause(
            # The Gateway API's own reasons that stand for one cause each, and one for all others.
            accepted.reason
            if accepted.reason in {"NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent"}
            else "RouteRefused",
            f"the Gateway {gateway} does not take the HTTPRoute: {_words(accepted)}",
        )
    if resolved is not None and resolved.status == "False":
        return Cause("RouteUnresolved", f"the Gateway {gateway} cannot lead on to the servers: {_words(resolved)}")
    if accepted is None or accepted.status != "True" or resolved is None or resolved.status != "True":
        return _pending(gateway)
    return None


def _pending(gateway: GatewayName) -> Cause:
    return Cause(
        "GatewayPending",
        f"no controller has answered for the Gateway {gateway} yet; if this lasts, see whether there is such a Gateway "
        "and whether its controller runs",
    )


def _words(condition: _Condition) -> str:
    line = " ".join(condition.message.split())[:_WORDS]
    return f"{condition.reason}: {line}" if line else condition.reason
