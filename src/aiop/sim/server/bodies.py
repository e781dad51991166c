"""Reading bodies and options of requests."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import yaml

from aiop.sim.semantics.errors import BadPatch, PatchRefused
from aiop.sim.semantics.jsonpatch import json_patched
from aiop.sim.semantics.merge import merge_patched
from aiop.sim.semantics.strategic import strategic_patched
from aiop.sim.server.kinds import Kind
from aiop.sim.server.refusals import bad_request, refused
from aiop.sim.server.requests import DeleteOptions, WriteOptions

Object = dict[str, Any]

APPLY = frozenset({"application/apply-patch+yaml"})
_YAML = frozenset({"application/yaml", *APPLY})
_KNOWN_PATCHES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"


def object_in(data: bytes, content_type: str) -> Object:
    """The object in a body; raises Refused."""
    try:
        obj = yaml.safe_load(data) if content_type in _YAML else msgspec.json.decode(data)
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error
    if not isinstance(obj, dict):
        raise bad_request("the object provided is unrecognized (must be of type object)")
    return obj


def patch_in(data: bytes, content_type: str, kind: Kind) -> Callable[[Object], Object]:
    """The change that a patch describes; raises Refused."""
    try:
        patch = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    if content_type == "application/merge-patch+json":
        return lambda live: merge_patched(live, patch)
    if content_type == "application/json-patch+json":
        return lambda live: _json_patched(live, patch)
    if content_type == "application/strategic-merge-patch+json" and not kind.custom:
        return lambda live: strategic_patched(live, patch, kind.schema)
    words = f"the body of the request was in an unknown format - accepted media types include: {_KNOWN_PATCHES}"
    raise refused(415, "UnsupportedMediaType", words)


def write_options(query: Mapping[str, str], user_agent: str) -> WriteOptions:
    """A write's options; the manager defaults to the client's own name, as the server does it."""
    manager = query.get("fieldManager") or user_agent.split("/", 1)[0] or "unknown"
    return WriteOptions(
        manager=manager[:128],
        dry_run=query.get("dryRun") == "All",
        validation=query.get("fieldValidation") or "Warn",
        force=query.get("force") == "true",
    )


def delete_options(query: Mapping[str, str], data: bytes) -> DeleteOptions:
    """A delete's options, from the body or the query."""
    body = object_in(data, "application/json") if data.strip() else {}
    preconditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    return DeleteOptions(
        uid=preconditions.get("uid") or "",
        version=preconditions.get("resourceVersion") or "",
        propagation=body.get("propagationPolicy") or query.get("propagationPolicy") or "Background",
        grace_seconds=None if grace is None else int(grace),
        dry_run=bool(body.get("dryRun")) or query.get("dryRun") == "All",
    )


def _json_patched(live: Object, patch: Any) -> Object:
    try:
        patched: Object = json_patched(live, patch)
    except BadPatch as error:
        raise bad_request(str(error)) from error
    except PatchRefused as error:
        raise refused(422, "Invalid", str(error)) from error
    return patched
