"""What the demo's table says of a workload."""

import io
from collections.abc import Sequence

import msgspec
import pytest
from rich.console import Console

from aiop.cli.demo.board import Row, all_ready, row_of, table_of
from aiop.runtime.views.custom import CustomObject, decode_custom


def workload(*conditions: tuple[str, str, str, str], generation: int = 2, observed: int = 2) -> CustomObject:
    told = [dict(zip(("type", "status", "reason", "message"), each, strict=True)) for each in conditions]
    status = {
        "observedGeneration": observed,
        "replicas": 3,
        "readyReplicas": 1,
        "url": "http://a.team.svc",
        "conditions": told,
    }
    metadata = {"name": "a", "namespace": "team", "generation": generation}
    return decode_custom(msgspec.json.encode({"metadata": metadata, "status": status}))


def drawn(rows: Sequence[Row], width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table_of(rows))
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def test_a_ready_workload_is_told_with_its_own_words() -> None:
    row = row_of(workload(("Ready", "True", "Available", "v1 serves"), ("Available", "True", "Available", "yes")))
    assert row == Row("a", "True", "1/3", "http://a.team.svc", "v1 serves")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            (("Ready", "False", "X", "x"), ("Available", "False", "Pending", "no GPU"), ("Accepted", "True", "", "")),
            "Pending: no GPU",
        ),
        (
            (("Ready", "False", "X", "x"), ("Available", "False", "A", "a"), ("Accepted", "False", "Bad", "spec")),
            "Bad: spec",
        ),
        (
            (("Ready", "False", "X", "x"), ("Available", "True", "A", "a"), ("Degraded", "True", "Crash", "exit 1")),
            "Crash: exit 1",
        ),
        ((("Ready", "False", "X", "x"), ("Degraded", "False", "Fine", "fine")), "X: x"),
        ((), "waiting for the operator"),
    ],
)
def test_one_that_is_not_ready_is_told_with_the_one_cause(
    conditions: tuple[tuple[str, str, str, str], ...], expected: str
) -> None:
    assert row_of(workload(*conditions)).message == expected


def test_what_was_said_of_an_older_generation_does_not_count() -> None:
    row = row_of(workload(("Ready", "True", "Available", "old"), generation=3, observed=2))
    assert (row.ready, row.message) == ("Unknown", "waiting for the operator")


def test_a_workload_without_a_status_is_unknown() -> None:
    row = row_of(decode_custom(b'{"metadata":{"name":"a","namespace":"team","generation":1}}'))
    assert (row.ready, row.replicas, row.message) == ("Unknown", "0/0", "waiting for the operator")


def test_in_a_small_terminal_names_stay_whole_and_the_table_leaves_room_for_the_story() -> None:
    long = "CrashLoop: " + "container 'server' ended with exit code 1: " * 20
    row = Row("bert-sentiment", "Unknown", "5/10", "http://127.156.0.1/api/v1/predict", long)
    shown = drawn([row, row, row], width=80)
    assert shown.count("│ bert-sentiment │ Unknown │ 5/10") == 3
    assert shown.count("…") == 3
    assert len(shown.splitlines()) < 24, shown


def test_all_ready_needs_one_at_least_and_every_one() -> None:
    ready, waiting = (Row("a", status, "1/1", "", "") for status in ("True", "Unknown"))
    assert all_ready([ready, ready])
    assert not all_ready([ready, waiting])
    assert not all_ready([])


def test_brackets_in_what_the_cluster_says_stand_in_the_table_as_they_are() -> None:
    said = drawn([Row("a", "False", "0/1", "http://[::1]/[/b]", "exec: [bold] sh [/] not found")])
    assert "exec: [bold] sh [/] not found" in said
    assert "http://[::1]/[/b]" in said
