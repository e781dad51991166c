"""Strategic merge patches: a merge patch that knows which lists have keys."""

from typing import Any

from aiop.sim.semantics.typeschema import TypeSchema

_DIRECTIVE = "$patch"
_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"


def strategic_patched(target: Any, patch: Any, schema: TypeSchema | None) -> Any:
    """``target`` with ``patch`` merged in by the schema's patch strategies and the patch's directives."""
    if not isinstance(patch, dict):
        return patch
    if patch.get(_DIRECTIVE) == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    result = dict(target) if isinstance(target, dict) else {}
    if _RETAIN in patch:
        result = {name: value for name, value in result.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if name.startswith(_DELETE_VALUES):
            kept = name.removeprefix(_DELETE_VALUES)
            result[kept] = [item for item in result.get(kept, []) if item not in value]
        elif not name.startswith("$"):
            _merge_field(result, name, value, schema)
    for name, order in patch.items():
        if name.startswith(_ORDER):
            _reorder(result, name.removeprefix(_ORDER), order, schema)
    return result


def _merge_field(result: dict[str, Any], name: str, value: Any, schema: TypeSchema | None) -> None:
    field = schema.field(name) if schema is not None else None
    if value is None or (isinstance(value, dict) and value.get(_DIRECTIVE) == "delete"):
        result.pop(name, None)
    elif isinstance(value, list) and field is not None:
        result[name] = _merged_list(result.get(name) or [], value, field)
    else:
        result[name] = strategic_patched(result.get(name), value, field)


def _merged_list(current: list[Any], patch: list[Any], schema: TypeSchema) -> list[Any]:
    if schema.merges_values:
        return [*current, *(item for item in patch if item not in current)]
    key = schema.merge_key
    if not key or any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and item.get(_DIRECTIVE) == "replace")]
    result = list(current)
    for item in patch:
        place = next((index for index, known in enumerate(result) if known.get(key) == item.get(key)), None)
        if item.get(_DIRECTIVE) == "delete":
            result = [known for known in result if known.get(key) != item.get(key)]
        elif place is None:
            result.append(strategic_patched({}, item, schema.items))
        else:
            result[place] = strategic_patched(result[place], item, schema.items)
    return result


def _reorder(result: dict[str, Any], name: str, order: list[Any], schema: TypeSchema | None) -> None:
    """The patch's own items in its order; items that it does not name keep their place behind their neighbours."""
    field = schema.field(name) if schema is not None else None
    items = result.get(name)
    if field is None or not isinstance(items, list):
        return
    key = field.merge_key

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(item) for item in order]
    ranked = [identity(item) for item in items]
    named = iter(
        sorted((item for item in items if identity(item) in wanted), key=lambda item: wanted.index(identity(item)))
    )
    result[name] = [next(named) if mark in wanted else item for mark, item in zip(ranked, items, strict=True)]
