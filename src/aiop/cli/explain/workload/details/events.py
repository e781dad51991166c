"""What nodes and provisioners say in events alone; the operator reads none, the caller may."""

from collections.abc import Collection
from dataclasses import replace

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.words import one_line

# One event's words in a line that has others.
_WORDS = 300


def with_event(scene: Scene, found: Finding, reasons: Collection[str]) -> Finding:
    """With the newest event of these reasons, which then is the source; as it was if there is none."""
    event = next((each for each in scene.evidence.events if each.reason in reasons), None)
    if event is None:
        return found
    times = f", {event.times} times" if event.times > 1 else ""
    about = event.involved_object
    return replace(
        found,
        message=f"{found.message}; {event.reason}: {one_line(event.message, _WORDS).rstrip('. ')}",
        source=Source(about.kind, about.name, f"event {event.reason}{times}"),
        numbers={**found.numbers, "events": event.times},
    )
