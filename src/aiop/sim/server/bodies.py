"""Reading bodies and options of requests."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import yaml

from aiop.sim.semantics.errors import BadPatch, PatchRefused
from aiop.sim.semantics.jsonpatch import json_patched
from aiop.sim.semantics.merge import merge_patched
from aiop.sim.semantics.protobuf import UnreadableProtobuf, envelope_in
from aiop.sim.semantics.strategic import strategic_patched
from aiop.sim.server.kinds import Kind
from aiop.sim.server.protokinds import PROTOBUF, protobuf_object
from aiop.sim.server.refusals import bad_request, refused
from aiop.sim.server.requests import DeleteOptions, WriteOptions

Object = dict[str, Any]

APPLY = frozenset({"application/apply-patch+yaml"})
_YAML = frozenset({"application/yaml", *APPLY})
_KNOWN_PATCHES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"


def object_in(data: bytes, content_type: str) -> Object:
    """The object in a body; raises Refused."""
    try:
        if content_type == PROTOBUF:
            return protobuf_object(data)
        obj = yaml.safe_load(data) if content_type in _YAML else msgspec.json.decode(data)
    except UnreadableProtobuf as error:
        raise refused(415, "UnsupportedMediaType", f"the protobuf body cannot be read: {error}") from error
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error
    if not isinstance(obj, dict):
        raise bad_request("the object provided is unrecognized (must be of type object)")
    return obj


def allowed_review(data: bytes, content_type: str) -> Object:
    """The answer to a question of what somebody may do: everything."""
    if content_type == PROTOBUF:
        try:
            envelope = envelope_in(data)
        except UnreadableProtobuf as error:
            raise bad_request(f"the object provided is unrecognized: {error}") from error
        asked: Object = {"apiVersion": envelope.api_version, "kind": envelope.kind}
    else:
        asked = object_in(data, content_type)
    return {**asked, "status": {"allowed": True}}


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


def number_in(query: Mapping[str, str], name: str) -> int:
    """A number of the query, 0 if it is not there; raises Refused."""
    value = query.get(name) or "0"
    try:
        return int(value)
    except ValueError as error:
        raise bad_request(f'{name}: Invalid value: "{value}": must be a number') from error


def write_options(query: Mapping[str, str], user_agent: str) -> WriteOptions:
    """A write's options; the manager defaults to the client's own name, as the server does it."""
    manager = query.get("fieldManager") or user_agent.split("/", 1)[0] or "unknown"
    return WriteOptions(
        manager=manager[:128],
        dry_run=query.get("dryRun") == "All",
        validation=query.get("fieldValidation") or "Warn",
        force=query.get("force") == "true",
    )


def delete_options(query: Mapping[str, str], data: bytes, content_type: str) -> DeleteOptions:
    """A delete's options, from the body or the query."""
    body = object_in(data, content_type) if data.strip() else {}
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
