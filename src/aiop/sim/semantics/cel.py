"""The CEL rules of a structural schema (x-kubernetes-validations), evaluated by a library."""

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import cel

from aiop.sim.semantics.celfunctions import FUNCTIONS
from aiop.sim.semantics.compare import same_json
from aiop.sim.semantics.errors import FieldFault, RuleError
from aiop.sim.semantics.fieldset import element_of
from aiop.sim.semantics.typeschema import TypeSchema
from aiop.sim.semantics.validation import joined, shown

# What the library raises for a rule that it cannot read or finish.
_LIBRARY_ERRORS = (ValueError, TypeError, RuntimeError, KeyError, IndexError, ArithmeticError)
# Words of the language that a field's name may not be; they are written __word__ in rules.
_RESERVED = frozenset(
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return", "var", "void", "while",
    }
)  # fmt: skip
# A text literal, or a call of size outside of one.
_SIZE_CALL = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\bsize(?=\s*\()""")
_OLD = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\boldSelf\b""")


def rule_faults(value: Any, old: Any, schema: TypeSchema, path: str = "") -> Iterator[FieldFault]:
    """The rules that ``value`` breaks, at every depth.

    Rules about a change need ``old`` and are left out without it; what was broken before and has not changed is
    forgiven, as the server does. Raises RuleError for a rule that cannot be evaluated.
    """
    if value is None:
        return
    for rule in schema.raw.get("x-kubernetes-validations", ()):
        yield from _fault(rule, value, old, schema, path)
    if isinstance(value, dict):
        for name, child in value.items():
            field = schema.field(name)
            if field is not None and _has_rules(field):
                previous = old.get(name) if isinstance(old, dict) else None
                yield from rule_faults(child, previous, field, joined(path, name))
    elif isinstance(value, list) and (items := schema.items) is not None and _has_rules(items):
        known = _by_key(old, schema)
        for number, item in enumerate(value):
            previous = known.get(element_of(item, schema)) if known else None
            yield from rule_faults(item, previous, items, f"{path}[{number}]")


def _has_rules(schema: TypeSchema) -> bool:
    """False only if no rule can be below: metadata and leaves without rules."""
    return schema.name == "" and not schema.free


def _by_key(old: Any, schema: TypeSchema) -> dict[str, Any]:
    """The items of a keyed list, to find an item's former self by; those of other lists have none."""
    if not isinstance(old, list) or schema.list_type != "map":
        return {}
    return {element_of(item, schema): item for item in old}


def _fault(rule: Mapping[str, Any], value: Any, old: Any, schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    expression = rule["rule"]
    about_change = any(not found[1] for found in _OLD.finditer(expression))
    if about_change and old is None and not rule.get("optionalOldSelf"):
        return
    if not about_change and old is not None and same_json(value, old):
        return
    known = {"self": _readable(value, schema), "oldSelf": None if old is None else _readable(old, schema)}
    if rule.get("optionalOldSelf"):
        known["oldSelf"] = cel.OptionalValue.none() if old is None else cel.OptionalValue.of(known["oldSelf"])
    if _evaluated(expression, known, path) is not True:
        yield _as_fault(rule, value, known, path)


def _evaluated(expression: str, known: Mapping[str, Any], path: str) -> Any:
    try:
        context = cel.Context()
        for name, function in FUNCTIONS.items():
            context.add_function(name, function)
        for name, value in known.items():
            context.add_variable(name, value)
        return _compiled(expression).execute(context)
    except _LIBRARY_ERRORS as error:
        raise RuleError(f"rule {expression!r} at {path or 'the root'} cannot be evaluated: {error}") from error


@functools.lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    # The library counts bytes where CEL counts characters, and its own size cannot be replaced by name.
    return cel.compile(_SIZE_CALL.sub(lambda found: found[1] or "codePoints", expression))


def _as_fault(rule: Mapping[str, Any], value: Any, known: Mapping[str, Any], path: str) -> FieldFault:
    reason = rule.get("reason", "FieldValueInvalid")
    field = (path + rule.get("fieldPath", "")).removeprefix(".") or "<nil>"
    message = _message(rule, known, path)
    words = {
        "FieldValueInvalid": f"Invalid value: {message}",
        "FieldValueForbidden": f"Forbidden: {message}",
        "FieldValueRequired": f"Required value: {message}",
        "FieldValueDuplicate": f"Duplicate value: {message}",
    }
    if not isinstance(value, dict | list):
        words["FieldValueInvalid"] = f"Invalid value: {shown(value)}: {message}"
        words["FieldValueDuplicate"] = f"Duplicate value: {shown(value)}: {message}"
    return FieldFault(field, reason, words[reason])


def _message(rule: Mapping[str, Any], known: Mapping[str, Any], path: str) -> str:
    if rule.get("messageExpression"):
        try:
            message = _evaluated(rule["messageExpression"], known, path)
        except RuleError:
            # The server falls back to the fixed message then, too.
            message = None
        if isinstance(message, str) and message.strip() and "\n" not in message:
            return message
    return str(rule.get("message") or f"failed rule: {rule['rule']}")


def _readable(value: Any, schema: TypeSchema | None, *, root: bool = True) -> Any:
    """``value`` as rules see it: typed by the schema, names escaped, unknown fields and most of metadata hidden."""
    if schema is None or schema.free:
        return value
    if isinstance(value, dict):
        return dict(_readable_fields(value, schema, root=root))
    if isinstance(value, list):
        return [_readable(item, schema.items, root=False) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and schema.types == ("number",):
        return float(value)
    if isinstance(value, str) and schema.raw.get("format") == "date-time":
        return datetime.fromisoformat(value)
    return value


def _readable_fields(value: dict[str, Any], schema: TypeSchema, *, root: bool) -> Iterator[tuple[str, Any]]:
    for name, child in value.items():
        field = schema.field(name)
        if root and name == "metadata" and field is not None and field.name and isinstance(child, dict):
            yield name, {key: child[key] for key in ("name", "generateName") if key in child}
        elif field is not None:
            key = _escaped(name) if name in schema.declared else name
            yield key, _readable(child, field, root=False)


def _escaped(name: str) -> str:
    """A field's name as rules write it."""
    if name in _RESERVED:
        return f"__{name}__"
    for text, written in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(text, written)
    return name
