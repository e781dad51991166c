"""Which revisions take part, and so where the outside path leads to. Pure."""

from collections.abc import Sequence

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.exposure.routes import Destination, Serving, destination, known_route
from aiop.controllers.serving.modelsource import model_id
from aiop.controllers.serving.names import revision_name
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.revision import KnownRevision


def with_servers(observed: Observed, revisions: Sequence[KnownRevision]) -> list[KnownRevision]:
    """Those that have pods, or should."""
    live = [(each, observed.deployment_of(each.hash)) for each in revisions]
    return [each for each, state in live if state is not None and (state.desired or state.status.replicas)]


def destination_of(observed: Observed, spec: AIWorkloadSpec, revisions: Sequence[KnownRevision]) -> Destination:
    """Where `inferenceEndpoint` leads; the target is the first of ``revisions``, the others are those with servers."""
    name, reached = observed.key.name, observed.ready_pods(observed.key.name)
    if spec.inference_endpoint == "/":
        return Destination(name, "")  # all paths as they are, whoever serves

    def serving(each: KnownRevision) -> Serving:
        ready = sum(pod.metadata.uid in reached for pod in observed.pods_of(each.hash))
        route = known_route(each.data, observed.runtimes, model_id(spec))
        return Serving(revision_name(name, each.hash), route, ready)

    target, *others = revisions
    return destination(name, serving(target), [serving(each) for each in others])
