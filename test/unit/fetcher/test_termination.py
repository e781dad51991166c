import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.fetcher.termination import LONGEST, Outcome, write_outcome


def test_the_line_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    said: list[str] = []
    write_outcome(Outcome("Fetched", "Done.", 3, 1024, 1.26), tmp_path / "log", said.append)
    text = (tmp_path / "log").read_text()
    assert text.endswith("\n")
    assert json.loads(text) == {"reason": "Fetched", "message": "Done.", "files": 3, "bytes": 1024, "seconds": 1.3}
    assert said == ["Fetched: Done."]


@given(st.text(max_size=5000), st.integers(0, 2**63), st.floats(0, 1e9))
def test_the_line_is_one_line_of_json_and_fits_whatever_the_message(message: str, size: int, seconds: float) -> None:
    line = Outcome("MissingCredentials", message, size, size, seconds).line()
    assert len(line.encode()) < LONGEST
    assert "\n" not in line
    assert json.loads(line)["bytes"] == size


@pytest.mark.parametrize("character", ["x", "ü", "😀", "\\", '"'])
def test_a_long_message_is_cut_and_not_lost(character: str) -> None:
    line = Outcome("Failed", character * 5000).line()
    assert len(line.encode()) < LONGEST
    message = json.loads(line)["message"]
    assert len(message) >= 100
    assert set(message) == {character}


def test_a_log_that_cannot_be_written_is_told_and_no_failure(tmp_path: Path) -> None:
    said: list[str] = []
    write_outcome(Outcome("Fetched", "Done."), tmp_path / "missing" / "log", said.append)
    assert said == ["Fetched: Done.", "The termination log cannot be written: No such file or directory."]
