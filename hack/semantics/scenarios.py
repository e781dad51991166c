# ruff: noqa: E501 - a scenario reads best on one line
"""What the recorder asks a real API server: steps on one object each, by kind of question."""

import copy
from typing import Any

GROUP = "semantics.example.com"
Step = dict[str, Any]

_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}


def _keyed(*keys: str, **properties: Any) -> dict[str, Any]:
    item = {"type": "object", "required": [keys[0]], "properties": properties}
    return {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*keys], "items": item}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "maximum": 100},
                "even": {"type": "integer", "multipleOf": 2},
                "ratio": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5},
                "moment": {"type": "string", "format": "date-time"},
                "blob": {"type": "string", "format": "byte"},
                "port": {"x-kubernetes-int-or-string": True},
                "flag": {"type": "boolean"},
                "maybe": {"type": "string", "nullable": True},
                "choice": {"type": "string", "nullable": True, "default": "a"},
                "options": {
                    "type": "object",
                    "default": {},
                    "properties": {"fast": {"type": "boolean", "default": True}, "note": _STRING},
                },
                "labels": {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "string", "maxLength": 4}},
                "limits": {"type": "object", "additionalProperties": {"type": "object", "properties": {"most": _INTEGER}}},
                "parts": {**_keyed("name", name=_STRING, count=_INTEGER, kind={"type": "string", "default": "plain"}), "maxItems": 3},
                "ports": _keyed("port", "protocol", port=_INTEGER, protocol={"type": "string", "default": "TCP"}, note=_STRING),
                "tags": {"type": "array", "maxItems": 20, "x-kubernetes-list-type": "set", "items": {"type": "string", "maxLength": 50}},
                "steps": {"type": "array", "minItems": 1, "uniqueItems": False, "items": _STRING},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "half": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {"known": {"type": "object", "properties": {"a": _STRING}}},
                },
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": _STRING, "b": _STRING}},
                "low": _INTEGER,
                "high": _INTEGER,
                "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is fixed"}]},
            },
            "x-kubernetes-validations": [
                {"rule": "!has(self.low) || !has(self.high) || self.low <= self.high", "message": "low must not be above high"},
                {"rule": "!has(self.high) || self.high < 1000", "messageExpression": "'high is above 999, size is ' + (self.size > 0 ? 'some' : 'none')"},
                {"rule": "!has(self.tags) || self.tags.all(tag, size(tag) < 9)", "fieldPath": ".tags", "reason": "FieldValueForbidden"},
                {"rule": "!has(self.labels) || !self.labels.exists(key, key == 'bad')"},
            ],
        },
        "status": {"type": "object", "properties": {"ready": _INTEGER, "note": _STRING}},
    },
}  # fmt: skip

DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"gadgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": SCHEMA},
                "subresources": {"status": {}},
            }
        ],
    },
}


def gadget(**spec: Any) -> dict[str, Any]:
    """A Gadget of ours."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": spec}


def status(**fields: Any) -> dict[str, Any]:
    """A Gadget's status alone."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "status": fields}


def config_map(**data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Deployment of no replicas."""
    labels = {"app": "web"}
    listed = list(containers) or [{"name": "main", "image": "registry.example/web:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": listed}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template} | spec,
    }


def service(**spec: Any) -> dict[str, Any]:
    """A Service."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}} | spec}


def create(body: Any, **rest: Any) -> Step:
    """POST."""
    return {"verb": "create", "body": copy.deepcopy(body), **rest}


def apply(body: Any, manager: str = "applier", **rest: Any) -> Step:
    """Server-side apply."""
    return {"verb": "apply", "body": copy.deepcopy(body), "manager": manager, **rest}


def merge(body: Any, **rest: Any) -> Step:
    """PATCH, JSON merge."""
    return {"verb": "merge", "body": body, **rest}


def strategic(body: Any, **rest: Any) -> Step:
    """PATCH, strategic merge."""
    return {"verb": "strategic", "body": body, **rest}


def pods(**spec: Any) -> dict[str, Any]:
    """A patch of a Deployment's pod spec."""
    return {"spec": {"template": {"spec": spec}}}


def _env(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "value": name.lower()} for name in names]


_MAIN = {"name": "main", "image": "registry.example/web:1"}
_SIDE = {"name": "side", "image": "registry.example/side:1"}

OWNERSHIP: dict[str, list[Step]] = {
    "a post owns what it says and what was defaulted": [
        create(gadget(size=1, parts=[{"name": "a"}], tags=["x"], free={"a": {"b": [1], "c": {}}}, limits={"x": {"most": 1}},
                      half={"known": {"a": "b"}, "other": {"c": 1}}, whole={"a": "b"}, steps=["one"], labels={"a": "b"})),
        apply(gadget(size=1, free={"a": {"b": [1], "d": {}}}, options={}, tags=[], parts=[], limits={"x": {"most": 1}},
                     half={"known": {"a": "b"}, "other": {"c": 1}}, whole={"a": "b"}, steps=["one"], labels={"a": "b"})),
    ],
    "an update conflicts by name and version": [
        create(gadget(size=1, free={"a": {"b": [1]}}, tags=["x"])),
        apply(gadget(size=2, free={"a": {"b": [2]}}, tags=["x"])),
        apply(gadget(size=2, free={"a": {"b": [2]}}, tags=["x"]), force=True),
        apply(gadget(size=2), force=True),
        apply(gadget(size=2)),
    ],
    "two appliers share and conflict": [
        apply(gadget(size=1, low=1, labels={"a": "1"}), "one"),
        apply(gadget(size=1), "two"),
        apply(gadget(size=3, low=3, labels={"a": "2"}), "three"),
        apply(gadget(size=1, labels={"b": "1"}), "one"),
        apply(gadget(size=1, labels={}), "one"),
        apply(gadget(size=3, low=3, labels={"a": "2"}), "three", force=True),
        apply(gadget(size=3), "three"),
    ],
    "keyed lists merge in order": [
        apply(gadget(size=1, parts=[{"name": "a", "count": 1}, {"name": "b"}]), "one"),
        apply(gadget(size=1, parts=[{"name": "c"}]), "two"),
        apply(gadget(size=1, parts=[{"name": "c"}, {"name": "a"}]), "two"),
        apply(gadget(size=1, parts=[{"name": "b"}]), "one"),
        apply(gadget(size=1), "two"),
        apply(gadget(size=1), "one"),
    ],
    "keys with defaults identify": [
        apply(gadget(size=1, ports=[{"port": 80}, {"port": 80, "protocol": "UDP"}]), "one"),
        apply(gadget(size=1, ports=[{"port": 80, "protocol": "TCP", "note": "x"}]), "two"),
        apply(gadget(size=1, ports=[{"port": 80, "protocol": "UDP"}]), "one"),
    ],
    "sets merge": [
        apply(gadget(size=1, tags=["b", "d"]), "one"),
        apply(gadget(size=1, tags=["a", "d", "c"]), "two"),
        apply(gadget(size=1, tags=["d"]), "one"),
        merge({"spec": {"tags": ["c", "z"]}}),
        apply(gadget(size=1), "two"),
    ],
    "an update takes over": [
        apply(gadget(size=1, low=1, tags=["a"], parts=[{"name": "a", "count": 1}]), "one"),
        merge({"spec": {"low": 2}}),
        merge({"spec": {"parts": [{"name": "a", "count": 2}]}}),
        merge({"spec": {"parts": None, "low": 2}}),
        merge({"spec": {"low": 2}}, manager="idle"),
        apply(gadget(size=1, low=2, tags=["a"]), "one"),
    ],
    "status has a door of its own": [
        create(gadget(size=1) | {"status": {"ready": 9}}),
        merge({"status": {"ready": 1}, "spec": {"size": 5}}, subresource="status", manager="controller"),
        apply(status(ready=2), "other", subresource="status"),
        apply(status(ready=2, note="x"), "other", subresource="status", force=True),
        apply(status(ready=2), "other", subresource="status"),
    ],
    "owners are reset and kept": [
        apply(gadget(size=1, low=1), "one"),
        merge({"metadata": {"managedFields": []}}),
        merge({"metadata": {"managedFields": [{}]}}),
        merge({"spec": {"size": 2}}),
        apply(gadget(size=2, high=5), "one"),
    ],
    "a configuration must fit its schema": [
        create(gadget(size=1)),
        apply(gadget(size=1, lowx=1)),
        apply(gadget(size="a", parts=[{"count": 1}], tags=["a", "a"])),
        apply(gadget(size=1, flag="yes", name=5, options=[], parts={"a": 1}, labels="x")),
        apply(gadget(size=1, low=None, options={"fast": None})),
        apply(gadget(size=1, ports=[{"note": "x"}])),
        apply(gadget(size=1, ports=[{"protocol": "TCP"}], parts=[{"name": "a"}, {"name": "a"}])),
    ],
    "a config map": [
        create(config_map(a="1", b="2")),
        merge({"data": {"b": None, "c": "3"}, "metadata": {"labels": {"x": "y"}, "annotations": {}, "finalizers": ["a.b/c"],
               "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "q", "uid": "12"}]}}, manager="you"),
        merge({"data": None, "metadata": {"labels": None}}, manager="you"),
        merge({"metadata": {"finalizers": None}}, manager="you"),
        apply(config_map(a="1"), "one"),
    ],
    "a deployment": [
        create(deployment()),
        apply(deployment(replicas=2), "one"),
        apply(deployment(_MAIN | {"ports": [{"containerPort": 80}], "env": _env("A", "B")}, replicas=2), "one", force=True),
        apply(deployment(_MAIN | {"image": "x", "ports": [{"containerPort": 81, "protocol": "UDP"}]}), "two"),
        apply(deployment(_MAIN | {"env": _env("B")}, replicas=2), "one"),
        apply(deployment(_MAIN, _SIDE | {"command": ["a"]}, replicas=2), "two"),
        apply(deployment(_MAIN, _SIDE, replicas=2), "two"),
        apply(deployment(_MAIN, replicas=2), "two"),
        apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicaz": 1}}),
    ],
    "a deployment that was applied": [
        apply(deployment(strategy={"type": "Recreate"}), "one"),
        apply(deployment(), "one"),
        strategic({"spec": {"replicas": 1}, "metadata": {"labels": {"a": "b"}}}, manager="scaler"),
        apply(deployment(), "one"),
    ],
    "a service": [
        create(service(ports=[{"port": 80}])),
        apply(service(ports=[{"port": 80, "name": "http"}, {"port": 81, "name": "two"}]), "one", force=True),
    ],
}  # fmt: skip

STRATEGIC: dict[str, list[Step]] = {
    "containers merge by name": [
        create(deployment(_MAIN, _SIDE)),
        strategic(pods(containers=[{"name": "main", "env": _env("B", "A")}])),
        strategic(pods(containers=[{"name": "main", "env": _env("C")}, {"name": "new", "image": "n:1"}])),
        strategic(pods(containers=[{"name": "side", "$patch": "delete"}])),
    ],
    "an order is set": [
        create(deployment(_MAIN | {"env": _env("A", "B", "C", "D")})),
        strategic(pods(containers=[{"name": "main", "$setElementOrder/env": [{"name": "D"}, {"name": "A"}]}])),
        strategic(pods(containers=[{"name": "main", "env": _env("X"),
                  "$setElementOrder/env": [{"name": "X"}, {"name": "C"}, {"name": "D"}]}])),
        strategic({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "new"}, {"name": "main"}],
            "containers": [{"name": "new", "image": "n:1"}]}}}}),
    ],
    "keys are retained": [
        create(deployment()),
        strategic({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
    ],
    "volumes keep one source": [
        create(deployment(template={"metadata": {"labels": {"app": "web"}}, "spec": {
            "containers": [_MAIN], "volumes": [{"name": "v", "emptyDir": {}}]}})),
        strategic(pods(volumes=[{"$retainKeys": ["name", "configMap"], "name": "v", "configMap": {"name": "c"}}])),
    ],
    "a list is replaced": [
        create(deployment(_MAIN | {"env": _env("A", "B"), "args": ["a", "b"]})),
        strategic(pods(containers=[{"name": "main", "args": ["c"], "env": [*_env("Z"), {"$patch": "replace"}]}])),
        strategic(pods(containers=[{"name": "main", "env": None, "args": None}])),
    ],
    "a map is replaced": [
        create(deployment() | {"metadata": {"name": "web", "labels": {"a": "1", "b": "2"}}}),
        strategic({"metadata": {"labels": {"c": "3", "$patch": "replace"}}}),
        strategic({"metadata": {"labels": {"d": "4", "c": None}}}),
        strategic({"metadata": {"labels": {"$patch": "delete"}}}),
    ],
    "finalizers are a set": [
        create({**config_map(a="1"), "metadata": {"name": "one", "finalizers": ["a/a", "b/b"]}}),
        strategic({"metadata": {"finalizers": ["c/c", "a/a"]}}),
        strategic({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}}),
        strategic({"metadata": {"$setElementOrder/finalizers": ["d/d", "c/c", "b/b"], "finalizers": ["d/d"]}}),
        strategic({"metadata": {"finalizers": [{"$patch": "nonsense"}]}}),
        strategic({"metadata": {"finalizers": None}}),
    ],
    "an item without its key is refused": [
        create(deployment()),
        strategic(pods(containers=[{"image": "x"}])),
        strategic({"spec": {"$patch": "nonsense"}}),
    ],
}  # fmt: skip

_BAD: list[dict[str, Any]] = [
    {"size": -1}, {"size": 101}, {"size": "much"}, {"size": 1.5}, {}, {"size": None},
    {"size": 1, "even": 3}, {"size": 1, "ratio": 0}, {"size": 1, "ratio": "x"},
    {"size": 1, "colour": "blue"}, {"size": 1, "colour": 5}, {"size": 1, "name": "A"}, {"size": 1, "name": "toolong"},
    {"size": 1, "moment": "soon"}, {"size": 1, "blob": "%%%"}, {"size": 1, "port": [80]}, {"size": 1, "port": True},
    {"size": 1, "flag": "yes"}, {"size": 1, "options": []}, {"size": 1, "options": "x"}, {"size": 1, "parts": {}},
    {"size": 1, "labels": {"a": "1", "b": "2", "c": "3"}}, {"size": 1, "labels": {"a": 1}},
    {"size": 1, "labels": {"a": "12345"}}, {"size": 1, "limits": {"x": {"most": "y"}}},
    {"size": 1, "parts": [{"count": 1}]}, {"size": 1, "parts": [{"name": "a"}, {"name": "a", "count": 2}]},
    {"size": 1, "parts": [{"name": each} for each in "abcd"]}, {"size": 1, "tags": ["a", "b", "a"]},
    {"size": 1, "ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]},
    {"size": 1, "steps": []}, {"size": 1, "tags": ["a" * 9]}, {"size": 1, "low": 2, "high": 1},
    {"size": 1, "high": 1001}, {"size": 1, "labels": {"bad": "x"}}, {"size": -1, "colour": "blue", "name": "B"},
    {"size": 1, "parts": [{"name": 5}, 7]}, {"size": 1, "tags": ["a", 5]},
]  # fmt: skip
_GOOD: list[dict[str, Any]] = [
    {"size": 1}, {"size": 1, "colour": None}, {"size": 1, "low": None}, {"size": 1, "maybe": None},
    {"size": 1, "choice": None}, {"size": 1, "options": None}, {"size": 1, "options": {"fast": None}},
    {"size": 1, "parts": [{"name": "a"}, {"name": "b", "kind": None}]}, {"size": 1, "shape": "x", "options": {"x": 1}},
    {"size": 1, "free": {"a": None, "b": [None]}, "half": {"known": {"a": "b", "x": 1}, "y": {"z": 1}}},
    {"size": 1, "port": "http"}, {"size": 1.0}, {"size": 1, "moment": "2026-01-01T00:00:00Z", "ratio": 1},
    {"size": 1, "labels": {"a": None}}, {"size": 1, "parts": None}, {"size": 1, "tags": []},
]  # fmt: skip
SCHEMAS: dict[str, list[Step]] = {
    **{f"refused {number}": [create(gadget(**spec))] for number, spec in enumerate(_BAD)},
    **{f"accepted {number}": [create(gadget(**spec))] for number, spec in enumerate(_GOOD)},
    "strict": [
        create(
            gadget(size=1, shape="x", options={"y": 1}, parts=[{"name": "a", "z": 1}], limits={"q": {"r": 1}}),
            validation="Strict",
        ),
        create(gadget(size=1) | {"extra": 1}, validation="Strict"),
        create(gadget(size=1) | {"metadata": {"name": "one", "label": {}}}, validation="Strict"),
    ],
    "strict built-in": [
        create(deployment(_MAIN | {"imagee": "x"}, replicaz=1), validation="Strict"),
        create(deployment(replicas="many"), validation="Strict"),
        create(deployment(replicas="many")),
    ],
    "transitions": [
        create(gadget(size=1, fixed="a")),
        merge({"spec": {"fixed": "b"}}),
        merge({"spec": {"fixed": None}}),
        merge({"spec": {"fixed": "c"}}),
        merge({"spec": {"size": -1}}),
    ],
    "ratcheting": [
        create(gadget(size=1)),
        merge({"spec": {"nothing": 1}}),
        {"verb": "json", "body": [{"op": "test", "path": "/spec/size", "value": 2}]},
        {"verb": "json", "body": [{"op": "remove", "path": "/spec/absent"}]},
        {"verb": "json", "body": [{"op": "replace", "path": "/spec/absent", "value": 1}]},
        {"verb": "json", "body": [{"op": "jump", "path": "/spec/size"}]},
        {"verb": "json", "body": [{"op": "add", "path": "/spec/tags/-", "value": "x"}]},
        {"verb": "json", "body": [{"op": "add", "path": "/spec/tags", "value": ["x"]},
                                  {"op": "add", "path": "/spec/tags/0", "value": "w"},
                                  {"op": "move", "from": "/spec/tags/1", "path": "/spec/name"},
                                  {"op": "replace", "path": "/spec/name", "value": "xy"},
                                  {"op": "copy", "from": "/spec/name", "path": "/spec/tags/-"}]},
        {"verb": "json", "body": {"op": "add"}},
    ],
}  # fmt: skip

ALL: dict[str, dict[str, list[Step]]] = {"ownership": OWNERSHIP, "strategic": STRATEGIC, "schemas": SCHEMAS}
