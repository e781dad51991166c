"""The demo's live table, drawn purely from what the API server says of the AIWorkloads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from aiop.cli.demo.status import Condition, status_of
from aiop.cli.demo.story.stage import Traffic
from aiop.runtime.views.custom import CustomObject

_STYLES: Mapping[str, str] = {"True": "green", "False": "red", "Unknown": "yellow"}
# Asked in this order, the first that speaks against the workload is the one cause worth showing.
_TELLING = ("Accepted", "Degraded", "Available", "Progressing", "Ready")
# Three of this length fit into a terminal of 80 columns and 24 lines, with the load and what goes on below them;
# `kubectl describe` has the whole.
_MESSAGE = 85


@dataclass(frozen=True, slots=True)
class Row:
    """One AIWorkload as the table shows it; ``ready`` is the Ready condition's status for its generation."""

    name: str
    ready: str
    replicas: str
    url: str
    message: str


def row_of(workload: CustomObject) -> Row:
    """What there is to say of ``workload`` now; a status of an older generation counts as unknown."""
    status = status_of(workload)
    conditions = status.by_type
    ready = conditions.get("Ready", Condition())
    return Row(
        name=workload.metadata.name,
        ready=ready.status,
        replicas=f"{status.ready_replicas}/{status.replicas}",
        url=status.url,
        message=_telling_message(conditions),
    )


def all_ready(rows: Sequence[Row]) -> bool:
    """True once there is at least one workload and every one is Ready in its newest generation."""
    return bool(rows) and all(row.ready == "True" for row in rows)


def table_of(rows: Sequence[Row]) -> Table:
    """The table itself."""
    table = Table(title="AIWorkloads", title_justify="left", expand=True)
    for heading in ("Name", "Ready", "Replicas"):
        table.add_column(heading, no_wrap=True)
    for heading in ("URL", "What it says"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        # As Text: what the cluster says may hold brackets, which rich would take for markup.
        ready = Text(row.ready, style=_STYLES.get(row.ready, ""))
        table.add_row(Text(row.name), ready, row.replicas, Text(row.url), Text(_shortened(row.message)))
    return table


def _shortened(message: str) -> str:
    return message if len(message) <= _MESSAGE else f"{message[: _MESSAGE - 1].rstrip()}…"


def _telling_message(conditions: Mapping[str, Condition]) -> str:
    ready = conditions.get("Ready")
    if ready is not None and ready.status == "True":
        return ready.message
    for name in _TELLING:
        condition = conditions.get(name)
        good = "False" if name == "Degraded" else "True"
        if condition is not None and condition.status != good:
            return f"{condition.reason}: {condition.message}"
    return ready.message if ready else "waiting for the operator"


def load_line(load: Traffic) -> Text:
    """What the load does, in a line under the table; empty before there was any."""
    if not (load.rate or load.answered or load.failed):
        return Text("")
    style = "red" if load.failed else "green"
    words = f"Load: {load.rate:.0f} requests a second, {load.answered} answered, "
    return Text.assemble(words, (f"{load.failed} failed", style))
