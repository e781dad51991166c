"""What is exposed already and belongs to another workload by now, so that it has to go. Pure."""

from aiop.controllers.serving.exposure.claims import claimant_of, is_anothers, places
from aiop.controllers.serving.exposure.kinds import HTTPROUTES, MIDDLEWARES
from aiop.controllers.serving.exposure.live import Exposed, exposed_by_ingress, exposed_by_route
from aiop.controllers.serving.exposure.ways import DefaultWays, way_of
from aiop.controllers.serving.leftovers import Deletion, deletion
from aiop.controllers.serving.observed import Observed
from aiop.runtime.client.builtin import INGRESSES


def claimed_by_others(observed: Observed, defaults: DefaultWays) -> tuple[Deletion, ...]:
    """Of what an earlier spec exposed that which another workload asks for now; the rest may stay as it is."""
    return (*claimed_ingress(observed, defaults), *_claimed_route(observed, defaults))


def claimed_ingress(observed: Observed, defaults: DefaultWays) -> tuple[Deletion, ...]:
    """The Ingress, if another workload asks for what it exposes, and what it refers to."""
    live = observed.ingress
    if live is None or not belongs_to_another(observed, exposed_by_ingress(live), defaults):
        return ()
    middlewares = (deletion(MIDDLEWARES, each) for each in observed.middlewares.values())
    return (deletion(INGRESSES, live), *middlewares)


def _claimed_route(observed: Observed, defaults: DefaultWays) -> tuple[Deletion, ...]:
    live = observed.http_route
    if live is None or not belongs_to_another(observed, exposed_by_route(live), defaults):
        return ()
    return (deletion(HTTPROUTES, live),)


def belongs_to_another(observed: Observed, exposed: Exposed, defaults: DefaultWays) -> bool:
    """True if another workload asks for a host or a path of these, and did not come later than who asks here too."""
    me, namespace = claimant_of(observed.workload), observed.key.namespace
    if any(is_anothers(host, namespace, observed.ledger) for host in exposed.hosts):
        return True
    asked = me is not None and exposed.way.meets(way_of(me.asked, defaults, observed.cluster))
    mine = places(namespace, me.asked.hosts, me.asked.path) if me is not None and asked else ()
    return any(
        exposed.way.meets(way_of(other.asked, defaults, observed.cluster))
        for path in exposed.paths
        for place in places(namespace, exposed.hosts, path)
        for other in observed.ledger.claimants(place)
        if other.uid != observed.workload.metadata.uid and (me is None or place not in mine or other.age < me.age)
    )
