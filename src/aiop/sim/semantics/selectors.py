"""Label and field selectors."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from aiop.sim.semantics.errors import BadSelector

Match = Callable[[Mapping[str, Any]], bool]

_SET = re.compile(r"^(?P<key>[\w./-]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[\w./-]+)\s*(?P<op>==|=|!=)\s*(?P<value>[\w.-]*)$")
_EXISTS = re.compile(r"^(?P<not>!?)\s*(?P<key>[\w./-]+)$")
# Fields that can be selected by, besides metadata.name and metadata.namespace.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec.nodeName", "status.phase", "spec.restartPolicy", "spec.serviceAccountName", "status.podIP"),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "type",
        "reportingComponent", "source", "regarding.kind", "regarding.name", "regarding.namespace", "regarding.uid",
    ),
    "Secret": ("type",),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Job": ("status.successful",),
}  # fmt: skip


def label_match(selector: str) -> Match:
    """A function that says whether an object's labels fit; raises BadSelector."""
    tests = [_label_test(part) for part in _parts(selector)]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def selector_match(selector: Mapping[str, Any] | None) -> Callable[[Mapping[str, str]], bool]:
    """A function of labels for a LabelSelector object (matchLabels, matchExpressions); None matches nothing."""
    if selector is None:
        return lambda _labels: False
    wanted = selector.get("matchLabels") or {}
    tests = [
        _expression_test(each["key"], each["operator"], each.get("values") or [])
        for each in selector.get("matchExpressions") or []
    ]
    return lambda labels: (
        all(labels.get(key) == value for key, value in wanted.items()) and all(test(labels) for test in tests)
    )


def field_match(selector: str, kind: str) -> Match:
    """A function that says whether an object's fields fit; raises BadSelector for unknown fields."""
    tests: list[Match] = []
    for part in _parts(selector):
        name, operator, value = _field_part(part)
        if name not in {"metadata.name", "metadata.namespace", *_FIELDS.get(kind, ())}:
            message = f'field label not supported: "{name}"'
            raise BadSelector(message)
        tests.append(_field_test(name, value, equal=operator != "!="))
    return lambda obj: all(test(obj) for test in tests)


def _parts(selector: str) -> list[str]:
    """The selector's requirements: commas inside parentheses do not separate."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", selector) if part.strip()]


def _label_test(part: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(part):
        values = [value.strip() for value in found["values"].split(",")]
        return _expression_test(found["key"], "In" if found["op"] == "in" else "NotIn", values)
    if found := _EQUAL.match(part):
        return _expression_test(found["key"], "NotIn" if found["op"] == "!=" else "In", [found["value"]])
    if found := _EXISTS.match(part):
        return _expression_test(found["key"], "DoesNotExist" if found["not"] else "Exists", [])
    message = f"unable to parse requirement: {part!r}"
    raise BadSelector(message)


def _expression_test(key: str, operator: str, values: list[str]) -> Callable[[Mapping[str, str]], bool]:
    tests: Mapping[str, Callable[[Mapping[str, str]], bool]] = {
        "In": lambda labels: labels.get(key) in values,
        "NotIn": lambda labels: labels.get(key) not in values,
        "Exists": lambda labels: key in labels,
        "DoesNotExist": lambda labels: key not in labels,
    }
    if operator not in tests:
        message = f"{operator!r} is not a valid label selector operator"
        raise BadSelector(message)
    return tests[operator]


def _field_part(part: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        name, found, value = part.partition(operator)
        if found:
            return name.strip(), operator, value.strip()
    message = f"invalid field selector: {part!r}"
    raise BadSelector(message)


def _field_test(name: str, wanted: str, *, equal: bool) -> Match:
    path = name.split(".")

    def test(obj: Mapping[str, Any]) -> bool:
        value: Any = obj
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return (("" if value is None else str(value)) == wanted) is equal

    return test
