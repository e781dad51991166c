"""Grafana's JSON out of the descriptions in hack/dashboards, laid out in rows, for whatever data source is chosen.

A panel is a ``stat`` (one expression), a ``table`` (headings and expressions, joined by their labels), or has
``queries`` over time (legends and expressions). ``words`` of a dashboard stand for longer texts in its expressions.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

FOLDER = "charts/aiop/files/dashboards"
_SOURCES = Path(__file__).parents[1] / "dashboards"
_GRID_WIDTH = 24
# What Grafana 10 writes; later ones read it too.
_SCHEMA_VERSION = 39
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Width and height of a panel that says neither.
_SIZES = {"stat": (4, 4), "table": (24, 8), "timeseries": (8, 8)}
_OPTIONS: Mapping[str, Any] = {
    "stat": {"colorMode": "value", "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}},
    "table": {"showHeader": True},
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}


def dashboard_files() -> Iterator[tuple[str, str]]:
    """Path and content of each dashboard."""
    for path in sorted(_SOURCES.glob("*.yaml")):
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
        text = json.dumps(_dashboard(described), indent=2, ensure_ascii=False)
        yield f"{FOLDER}/{described['uid']}.json", text + "\n"


def _dashboard(described: Mapping[str, Any]) -> dict[str, Any]:
    links = {"type": "dashboards", "tags": ["aiop"], "title": "aiop", "asDropdown": True, "includeVars": True}
    return {
        "uid": described["uid"],  # never changes: bookmarks point to it
        "title": described["title"],
        "description": described["description"],
        "tags": ["aiop"],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": _SCHEMA_VERSION,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [links],
        "templating": {"list": [_source_variable(), *_variables(described["variables"])]},
        "panels": list(_laid_out(described["rows"], described["words"])),
    }


def _source_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}


def _variables(described: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    for name, each in described.items():
        yield {
            "name": name,
            "label": each["label"],
            "type": "query",
            "datasource": _SOURCE,
            "query": each["query"],
            "refresh": 2,  # whenever the range of time changes
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",  # admits series without the label: where there is one cluster, none names it
            "current": {"text": "All", "value": "$__all"},
        }


def _laid_out(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    number = top = 0
    for row in rows:
        number += 1
        yield {"id": number, "type": "row", "title": row["title"], "gridPos": _place(0, top, _GRID_WIDTH, 1)}
        top, left, lowest = top + 1, 0, 0
        for described in row["panels"]:
            panel = _panel(described, words)
            width, height = _SIZES[panel["type"]]
            width, height = described.get("width", width), described.get("height", height)
            if left + width > _GRID_WIDTH:
                top, left, lowest = top + lowest, 0, 0
            number += 1
            yield {"id": number, **panel, "gridPos": _place(left, top, width, height)}
            left, lowest = left + width, max(lowest, height)
        top += lowest


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _panel(described: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    kind = next((each for each in ("stat", "table") if each in described), "timeseries")
    queries = {"": described["stat"]} if kind == "stat" else described.get("table", described.get("queries"))
    targets = [_target(*each, kind, words) for each in zip(_references(), queries.items(), strict=False)]
    panel = {
        "type": kind,
        "title": described["title"],
        "description": described["description"],
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(described, kind), "overrides": []},
        "options": _OPTIONS[kind],
    }
    return panel | ({"transformations": _joined(queries)} if kind == "table" else {})


def _references() -> Iterator[str]:
    return iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _target(reference: str, query: tuple[str, str], kind: str, words: Mapping[str, str]) -> dict[str, Any]:
    legend, expression = query
    for word, text in words.items():
        expression = re.sub(rf"\b{word}\b", text, expression)
    instant = kind != "timeseries"
    return {
        "refId": reference,
        "datasource": _SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "format": "table" if kind == "table" else "time_series",
        "instant": instant,
        "range": not instant,
    }


def _defaults(described: Mapping[str, Any], kind: str) -> dict[str, Any]:
    below, above = described.get("badBelow"), described.get("badFrom")
    steps: list[dict[str, Any]] = [{"color": "green" if below is None else "red", "value": None}]
    if below is not None:
        steps.append({"color": "green", "value": below})
    if above is not None:
        steps.append({"color": "red", "value": above})
    defaults = {"unit": described.get("unit", "short"), "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "timeseries":
        defaults |= {"min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}
    return defaults


def _joined(queries: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row for each set of labels; the queries' values are its columns."""
    columns = {f"Value #{reference}": heading for reference, heading in zip(_references(), queries, strict=False)}
    arranged = {"excludeByName": {"Time": True}, "renameByName": columns}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": arranged}]
