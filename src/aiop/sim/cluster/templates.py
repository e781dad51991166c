"""Pod templates of a Deployment: are two the same, and the short hash that names one."""

import json
import zlib
from typing import Any

from aiop.sim.cluster.api import Object

HASH_LABEL = "pod-template-hash"
# The letters of generated names: no vowels, so that no words come out.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def same_template(one: Object, other: Object) -> bool:
    """True if both make the same pods, their hash label aside."""
    return _unhashed(one) == _unhashed(other)


def template_hash(template: Object, collisions: int = 0) -> str:
    """A name for the template; another one for each number of ``collisions``."""
    text = json.dumps([_unhashed(template), collisions], sort_keys=True)
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in str(zlib.crc32(text.encode())).encode())


def labelled(template: Object, value: str) -> Object:
    """The template with its hash label."""
    meta = template.get("metadata") or {}
    return {**template, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), HASH_LABEL: value}}}


def _unhashed(template: Object) -> dict[str, Any]:
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != HASH_LABEL}
    return {**template, "metadata": {"labels": labels, "annotations": meta.get("annotations") or {}}}
