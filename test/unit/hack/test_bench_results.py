"""What the bench keeps and prints; what it measures is nobody's promise."""

import json
from pathlib import Path

import pytest

from hack.bench.figures import Figure, in_figures
from hack.bench.results import NotForPrint, keep, print_on, read

CPU = Figure("CPU per Pod event", 28.8, "µs", "process time", goal=30.0)
SLOWER = Figure("CPU per Pod event", 31.0, "µs", "process time", goal=30.0)
LIST = Figure("list of 50,000 pods", 3.0, "s", "streamed")
MARKED = "# Page\n\n<!-- figures: begin -->\nold\n<!-- figures: end -->\n\nrest\n"


def test_a_run_replaces_its_own_parts_and_leaves_the_others(tmp_path: Path) -> None:
    kept = tmp_path / "build" / "bench.json"
    keep({"cpu": [CPU], "list": [LIST]}, 1.0, kept)
    keep({"cpu": [SLOWER]}, 0.1, kept)
    found = read(kept)
    assert found.parts == {"cpu": [SLOWER], "list": [LIST]}
    assert found.scales == {"cpu": 0.1, "list": 1.0}


def test_what_another_machine_measured_is_not_kept_beside_ours(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    keep({"list": [LIST]}, 1.0, kept)
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"machine": "another"}))
    keep({"cpu": [CPU]}, 1.0, kept)
    assert read(kept).parts == {"cpu": [CPU]}


def test_the_page_shows_every_part_in_order_between_its_marks(tmp_path: Path) -> None:
    kept, page = tmp_path / "bench.json", tmp_path / "page.md"
    page.write_text(MARKED)
    keep({"list": [LIST], "cpu": [CPU]}, 1.0, kept)
    print_on(page, read(kept), ["cpu", "list"])
    text = page.read_text()
    assert text.startswith("# Page\n\n<!-- figures: begin -->\nMachine: ")
    assert text.endswith("\n<!-- figures: end -->\n\nrest\n")
    assert (
        "| CPU per Pod event | 28.8 µs | ≤ 30 µs | process time |\n| list of 50,000 pods | 3 s |  | streamed |" in text
    )
    assert "old" not in text


def test_a_smaller_run_is_not_printed(tmp_path: Path) -> None:
    kept, page = tmp_path / "bench.json", tmp_path / "page.md"
    page.write_text(MARKED)
    keep({"cpu": [CPU]}, 0.1, kept)
    with pytest.raises(NotForPrint, match="cpu was measured at another scale"):
        print_on(page, read(kept), ["cpu"])
    assert page.read_text() == MARKED


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    kept, page = tmp_path / "bench.json", tmp_path / "page.md"
    page.write_text("no marks\n")
    keep({"cpu": [CPU]}, 1.0, kept)
    with pytest.raises(NotForPrint, match="has no lines"):
        print_on(page, read(kept), ["cpu"])
    assert page.read_text() == "no marks\n"


def test_a_missed_goal_is_said() -> None:
    assert SLOWER.aim == "≤ 30 µs (missed)"
    assert CPU.aim == "≤ 30 µs"
    assert Figure("rate", 19_999.0, "events/s", "", at_least=20_000.0).aim == "≥ 20,000 events/s (missed)"
    assert Figure("rate", 20_000.0, "events/s", "", at_least=20_000.0).aim == "≥ 20,000 events/s"
    assert LIST.aim == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(27_712.4, "27,712"), (1250.0, "1,250"), (99.96, "100.0"), (28.84, "28.8"), (3.456, "3.46"), (0.1345, "0.13")],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert in_figures(value) == text


def test_a_file_of_an_older_layout_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text('{"machine": "one", "figures": []}')
    keep({"cpu": []}, 1.0, path)
    assert list(read(path).parts) == ["cpu"]
