"""What was measured, kept as JSON: a run replaces the parts that it measured, and a page shows them all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hack.bench.figures import Figure
from hack.bench.machine import machine

_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"


class NotForPrint(ValueError):
    """Raised when results do not belong on the page: none, of a smaller scale, or no place for them."""


@dataclass(frozen=True, slots=True)
class Results:
    """Figures by part, all of one machine; ``scales`` says how large each part's run was (1: as the goals say)."""

    machine: str
    parts: Mapping[str, Sequence[Figure]]
    scales: Mapping[str, float]


def keep(parts: Mapping[str, Sequence[Figure]], scale: float, path: Path) -> None:
    """Write them to ``path``; other parts that are there stay, unless another machine measured them."""
    before = _known(path)
    old = before.parts if before is not None and before.machine == machine() else {}
    old_scales = before.scales if before is not None else {}
    scales = {name: scale if name in parts else old_scales[name] for name in {**old, **parts}}
    content: dict[str, Any] = {"machine": machine(), "parts": {}}
    for name, figures in {**old, **parts}.items():
        content["parts"][name] = {"scale": scales[name], "figures": [asdict(figure) for figure in figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _known(path: Path) -> Results | None:
    """What was kept before; None for nothing, and for a file of an older layout."""
    try:
        return read(path)
    except (FileNotFoundError, KeyError):
        return None


def read(path: Path) -> Results:
    """What `keep` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    found = content["parts"]
    parts = {name: [Figure(**figure) for figure in part["figures"]] for name, part in found.items()}
    return Results(content["machine"], parts, {name: part["scale"] for name, part in found.items()})


def print_on(page: Path, results: Results, order: Sequence[str]) -> None:
    """Replace what stands between the page's marks; raises NotForPrint."""
    small = [name for name, scale in results.scales.items() if scale != 1]
    if small or not results.parts:
        message = f"{', '.join(small) or 'nothing'} was measured at another scale than 1: the page shows full runs only"
        raise NotForPrint(message)
    text = page.read_text(encoding="utf-8")
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not (begin and end):
        message = f"{page} has no lines {_BEGIN} and {_END}"
        raise NotForPrint(message)
    page.write_text(f"{head}{begin}\n{_markdown(results, order)}\n{end}{tail}", encoding="utf-8")


def _markdown(results: Results, order: Sequence[str]) -> str:
    figures = [figure for name in order for figure in results.parts.get(name, ())]
    rows = [f"| {figure.name} | {figure.measured} | {figure.aim} | {figure.how} |" for figure in figures]
    head = [f"Machine: {results.machine}.", "", "| figure | measured | goal | how |", "|---|---|---|---|"]
    return "\n".join((*head, *rows))
