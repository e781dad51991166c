"""What differs between two versions of an object, field by field, as ownership sees it."""

from dataclasses import dataclass, field
from typing import Any

from aiop.sim.semantics.fieldset import MISSING, Path, element_of, shape_of
from aiop.sim.semantics.typeschema import TypeSchema


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fields that were added, parents included; whose value changed; and that went."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def same(self) -> bool:
        """True if nothing differs."""
        return not (self.added or self.modified or self.removed)

    @property
    def written(self) -> frozenset[Path]:
        """What the new version says that the old one did not."""
        return frozenset(self.added | self.modified)


def compared(old: Any, new: Any, schema: TypeSchema | None) -> Comparison:
    """The difference between two objects of one kind."""
    comparison = Comparison()
    _compare(old, new, schema, (), comparison)
    return comparison


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values: unlike Python's, true is not 1."""
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _compare(old: Any, new: Any, schema: TypeSchema | None, path: Path, found: Comparison) -> None:
    if old is new:
        return
    shapes = {shape_of(value, schema) for value in (old, new) if value is not MISSING and value is not None}
    shape = shapes.pop() if len(shapes) == 1 else "leaf"
    if shape == "leaf" or not (_filled(old) or _filled(new)):
        _compare_leaf(old, new, path, found)
        return
    if shape == "map":
        _compare_maps(_filled(old) or {}, _filled(new) or {}, schema, path, found)
    else:
        assert schema is not None  # noqa: S101 - what has no schema is no list with parts
        _compare_lists(_filled(old) or [], _filled(new) or [], schema, path, found)
    if path and old is MISSING:
        found.added.add(path)
    elif path and new is MISSING:
        found.removed.add(path)


def _filled(value: Any) -> Any:
    return value if value and value is not MISSING else None


def _compare_leaf(old: Any, new: Any, path: Path, found: Comparison) -> None:
    if not path:
        return
    if old is MISSING:
        found.added.add(path)
    elif new is MISSING:
        found.removed.add(path)
    elif not same_json(old, new):
        found.modified.add(path)


def _compare_maps(
    old: dict[str, Any], new: dict[str, Any], schema: TypeSchema | None, path: Path, found: Comparison
) -> None:
    for name in old.keys() | new.keys():
        field_schema = schema.field(name) if schema is not None else None
        _compare(old.get(name, MISSING), new.get(name, MISSING), field_schema, (*path, f"f:{name}"), found)


def _compare_lists(old: list[Any], new: list[Any], schema: TypeSchema, path: Path, found: Comparison) -> None:
    before = {element_of(item, schema): item for item in old}
    after = {element_of(item, schema): item for item in new}
    for element in before.keys() | after.keys():
        pair = before.get(element, MISSING), after.get(element, MISSING)
        _compare(*pair, schema.items, (*path, element), found)
