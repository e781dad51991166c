"""One event, two APIs: what is written as v1 is read as events.k8s.io/v1 too, in its own words, and vice versa.

`kubectl describe` reads the older API, the operator writes the newer. The real server stores one object for both; here
each write of the one stores the other beside it, under the same name and UID.
"""

from collections.abc import Mapping
from typing import Any

from aiop.sim.server.kinds import Kind

Object = dict[str, Any]

_NEWER, _OLDER = "events.k8s.io", ""
# Field of events.k8s.io/v1, field of v1; all others are called alike. Source: the published schemas of both.
_NAMES = (
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
)
_TO_OLDER = dict(_NAMES)
_TO_NEWER = {older: newer for newer, older in _NAMES}


def twin_bucket(kind: Kind) -> str | None:
    """Where the other API's objects are stored; None if the kind is no Event."""
    resource = kind.resource
    if resource.plural != "events" or resource.group not in {_NEWER, _OLDER}:
        return None
    return f"{_OLDER if resource.group == _NEWER else _NEWER}/events"


def twin_of(kind: Kind, event: Mapping[str, Any]) -> Object:
    """The event in the other API's words; its managedFields, which have this one's words, are left out."""
    older = kind.resource.group == _NEWER
    names = _TO_OLDER if older else _TO_NEWER
    twin = {names.get(name, name): value for name, value in event.items()}
    meta = {name: value for name, value in event["metadata"].items() if name != "managedFields"}
    return {**twin, "apiVersion": "v1" if older else f"{_NEWER}/v1", "metadata": meta}
