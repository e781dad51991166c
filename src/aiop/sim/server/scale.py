"""The scale subresource: a count in, a count out, wherever the kind keeps it."""

from typing import Any

from aiop.sim.server.kinds import Kind

Object = dict[str, Any]


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale object of ``obj``."""
    meta = obj["metadata"]
    selector = _value(obj, kind.scale.get("labelSelectorPath", ""))
    status: Object = {"replicas": _value(obj, kind.scale["statusReplicasPath"]) or 0}
    if selector:
        status["selector"] = selector if isinstance(selector, str) else _selector_text(selector)
    metadata = {name: meta[name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": _value(obj, kind.scale["specReplicasPath"]) or 0},
        "status": status,
    }


def with_scale(kind: Kind, obj: Object, scale: Object) -> Object:
    """``obj`` with the Scale's count."""
    count = (scale.get("spec") or {}).get("replicas", 0)
    return _set(obj, kind.scale["specReplicasPath"].strip(".").split("."), count)


def _value(obj: Any, path: str) -> Any:
    for part in path.strip(".").split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _set(obj: Object, path: list[str], value: Any) -> Object:
    head, rest = path[0], path[1:]
    return {**obj, head: _set(obj.get(head) or {}, rest, value) if rest else value}


def _selector_text(selector: Object) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items()))
