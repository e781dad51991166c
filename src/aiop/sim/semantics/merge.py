"""JSON merge patches (RFC 7386)."""

from typing import Any


def merge_patched(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` merged in: null removes, maps merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), value)
    return result
