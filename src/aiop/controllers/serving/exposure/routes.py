"""Where the outside path leads to: which Service, and which path of its servers. Pure.

A path can be rewritten to one route only: an Ingress and most Gateways know one rewrite a path. So while revisions
with different routes live side by side, the outside path leads to the one that most servers stand behind, by its own
Service, and moves over in one write once another has as many (docs/adr/0007). No server is asked by another's route.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.revision import RevisionData, route_of


@dataclass(frozen=True, slots=True)
class Serving:
    """A revision that has servers or will: its own Service, its server's route, and how many are ready.

    ``route`` is empty if the server has none, None if it is not known.
    """

    service: str
    route: str | None
    ready: int


@dataclass(frozen=True, slots=True)
class Destination:
    """``route`` is empty where the path reaches the server as it is."""

    service: str
    route: str


def destination(stable: str, target: Serving, others: Sequence[Serving]) -> Destination:
    """The stable Service, as long as all have one route; else the strongest revision, of equals the target.

    A revision whose route is not known is taken to have the target's.
    """
    wanted = target.route or ""
    if all(each.route in {None, wanted} for each in others):
        return Destination(stable, wanted)
    strongest = max([target, *others], key=lambda each: each.ready)
    return Destination(strongest.service, wanted if strongest.route is None else strongest.route)


def known_route(data: RevisionData, runtimes: Mapping[str, ServingRuntimeSpec], model: str) -> str | None:
    """The route that was recorded with a revision; of one that was recorded without, the runtime's own of today."""
    if data.route is not None:
        return data.route
    runtime = runtimes.get(data.runtime)
    return None if runtime is None else route_of(runtime, model)
