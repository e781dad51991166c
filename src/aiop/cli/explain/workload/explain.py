"""From an AIWorkload to the one cause that holds it back: reads, then thinks."""

from collections.abc import Callable, Iterator, Sequence

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.resources import AIWORKLOADS
from aiop.cli.explain.explanation import Explanation, Finding
from aiop.cli.explain.reading import Reader
from aiop.cli.explain.rendering import in_words
from aiop.cli.explain.workload.evidence import Evidence
from aiop.cli.explain.workload.gathering import gather
from aiop.cli.explain.workload.links.acceptance import not_accepted
from aiop.cli.explain.workload.links.conditions import needed_and_unread, only_told
from aiop.cli.explain.workload.links.deletion import deleted
from aiop.cli.explain.workload.links.hindrances import forbidden, name_taken
from aiop.cli.explain.workload.links.outside import not_behind_the_service, not_reached
from aiop.cli.explain.workload.links.rollout import rolling
from aiop.cli.explain.workload.links.scaling import limited
from aiop.cli.explain.workload.links.servers import not_ready
from aiop.cli.explain.workload.links.silence import REASON as SILENT
from aiop.cli.explain.workload.links.silence import unseen
from aiop.cli.explain.workload.operator import Pulse, pulse_of
from aiop.cli.explain.workload.replay import Scene, replayed
from aiop.controllers.serving.words import version_in_words
from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.moments import moment_of

Link = Callable[[Scene], Finding | None]

# From the object outwards, in the order of the operator's own verdict: what no waiting mends goes first.
CHAIN: Sequence[Link] = (
    deleted,
    not_accepted,
    name_taken,
    forbidden,
    only_told,
    not_ready,
    unseen,
    rolling,
    not_behind_the_service,
    not_reached,
    limited,
)
# What is under way and no fault.
_UNDER_WAY = frozenset({"RollingOut", "RollingOutInPlace", "RestartNeeded", "ResizingInPlace", "PodsNotReady"})


async def explain_workload(client: Client, reader: Reader, key: ObjectKey, operator_namespace: str) -> Explanation:
    """See `explained`. Raises ClientError if the workload itself cannot be read."""
    return explained(await gather(client, reader, key, operator_namespace))


def explained(evidence: Evidence) -> Explanation:
    """The explanation of what was read. Pure."""
    scene = replayed(evidence)
    cause = next((found for link in CHAIN if (found := link(scene)) is not None), None)
    pulse = pulse_of(evidence)
    ready = evidence.conditions.get("Ready")
    return Explanation(
        resource=AIWORKLOADS,
        key=evidence.observed.key,
        generation=evidence.generation,
        state=_state(scene, cause),
        healthy=cause is None or cause.harmless,
        wanted=_wanted(scene),
        found=_found(scene),
        servers=_servers(scene),
        cause=cause,
        condition={"type": "Ready", "status": ready.status, "reason": ready.reason, "message": ready.message}
        if ready is not None
        else {},
        operator=pulse.as_json(evidence),
        notes=tuple(_notes(scene, cause, pulse)),
        unread=evidence.unread,
    )


def _state(scene: Scene, cause: Finding | None) -> str:
    if cause is None or cause.harmless:
        return "Serving" if scene.case.desired else "ScaledToZero"
    if cause.reason in {"Deleting", SILENT}:
        return cause.reason
    return "RollingOut" if cause.reason in _UNDER_WAY else "HeldBack"


def _servers(scene: Scene) -> dict[str, int]:
    observed = scene.evidence.observed
    return {
        "wanted": scene.wanted,
        "exist": len(scene.case.pods),
        "ready": sum(pod.ready for pod in scene.case.pods),
        "takeRequests": len(observed.ready_pods(observed.key.name)),
    }


def _wanted(scene: Scene) -> str:
    spec, target, count = scene.spec, scene.plan.target, scene.wanted
    asked = (spec.model_version or "") if spec is not None else ""
    version = asked or (target.data.version if target is not None else "")
    of_version = f" of {version_in_words(version)}" if version else ""
    number = f"{count} server{'' if count == 1 else 's'}"
    return f"{number}{of_version}{_bounds(spec)}"


def _bounds(spec: AIWorkloadSpec | None) -> str:
    scaling = spec.autoscaling if spec is not None else None
    if scaling is None or not scaling.enabled:
        return ""
    return f" (autoscaled, {scaling.min_replicas} to {scaling.max_replicas})"


def _found(scene: Scene) -> str:
    servers = _servers(scene)
    reached = servers["takeRequests"]
    others = max(0, reached - servers["ready"])
    meanwhile = f", {others} of them of another revision" if others else ""
    takes = f"{reached} take{'s' if reached == 1 else ''} requests{meanwhile}"
    return f"{servers['ready']} ready, {takes}{_since(scene)}"


def _since(scene: Scene) -> str:
    """How long its condition says so; servers may be ready meanwhile, and lack a path outside."""
    ready = scene.evidence.conditions.get("Ready")
    since = moment_of(ready.last_transition_time) if ready is not None and ready.status == "False" else None
    return f"; Ready is False for {in_words((scene.evidence.now - since).total_seconds())}" if since is not None else ""


def _unseen(scene: Scene) -> bool:
    """Whether the operator owes a status; of what is being deleted it writes none, and that counts as a change too."""
    return not scene.evidence.seen and not scene.evidence.observed.workload.metadata.deletion_timestamp


def _notes(scene: Scene, cause: Finding | None, pulse: Pulse) -> Iterator[str]:
    evidence = scene.evidence
    if pulse.alive is False and (cause is None or cause.reason != SILENT):
        yield f"{pulse.words}; what is said here was found without it, and nothing it would do happens until it is back"
    elif _unseen(scene) and (cause is None or cause.reason != SILENT):
        yield (
            f"the operator's status speaks of generation {evidence.observed_generation}, the spec is generation "
            f"{evidence.generation}: it is behind or down"
        )
    yield from _disagreement(scene, cause)
    missing = needed_and_unread(scene)
    if missing:
        yield (
            f"without {', '.join(each.resource for each in missing)} this is less sure ({missing[0].why}); the role "
            "view has what explaining reads"
        )


def _disagreement(scene: Scene, cause: Finding | None) -> Iterator[str]:
    """Where the conditions of this generation say something else than what is seen now."""
    said = scene.evidence.conditions
    ready, degraded = said.get("Ready"), said.get("Degraded")
    if ready is None:
        return
    holds = cause is not None and not cause.harmless
    told = {each.reason for each in said.values()}
    if holds and cause is not None and ready.status == "True":
        yield f"the condition Ready still says True ({ready.reason}); what is seen now is newer"
    elif not holds and ready.status == "False":
        yield f"the condition Ready still says {ready.reason}; what is seen now is newer"
    elif holds and cause is not None and cause.reason not in told and scene.conditions["Ready"].reason != ready.reason:
        older = degraded.reason if degraded is not None and degraded.status == "True" else ready.reason
        yield f"the conditions say {older}; what is seen now is newer"
