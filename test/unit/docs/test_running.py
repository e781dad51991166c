"""How a page is followed: what counts as a step, and what as the same answer."""

from pathlib import Path

import pytest

from support.pagerun import follow, matches, saved_files, shows_all, steps

TUTORIAL = "docs/tutorials/first-model.md"


def test_the_steps_of_a_page_are_its_console_commands_with_their_answers() -> None:
    found = {step.command: step.shown for step in steps(TUTORIAL)}
    assert found["kubectl apply -f fraud.yaml"] == ("aiworkload.geartickler.com/fraud created",)
    assert "make demo" not in found


def test_a_file_that_the_reader_saves_has_the_blocks_content() -> None:
    saved = dict(saved_files(TUTORIAL))
    assert list(saved) == ["sentences.json", "fraud.yaml"]
    assert saved["sentences.json"].startswith('{"inputs": ')
    assert saved["fraud.yaml"].startswith("apiVersion: ")


def test_a_step_may_fail_only_where_the_page_shows_that_it_does() -> None:
    refused = [step.command for step in steps(TUTORIAL) if step.refused]
    assert len(refused) == 1
    assert "-1" in refused[0]


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        (("NAME  AGE", "fraud   …"), True),
        (("fraud   7s",), True),
        (("fraud   …", "NAME…"), False),
        (("fraud",), False),
        (("iris   …",), False),
        ((), True),
    ],
)
def test_shown_lines_must_come_in_their_order_and_may_leave_out_others(shown: tuple[str, ...], same: bool) -> None:
    assert matches("NAME   AGE\nbert   3s\nfraud  7s\n", shown) is same


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        (("NAME  AGE", "bert  …", "fraud  7s"), True),
        (("NAME  AGE", "", "bert  …", "fraud  7s", ""), True),
        (("…", "fraud  7s"), True),
        (("NAME  AGE", "…", "fraud  7s", "…"), True),
        (("NAME  AGE", "fraud  7s"), False),
        (("NAME  AGE", "bert  …"), False),
        (("NAME  AGE", "…", "bert  4s", "…"), False),
        ((), False),
    ],
)
def test_a_page_that_shows_answers_whole_says_where_lines_are_left_out(shown: tuple[str, ...], same: bool) -> None:
    assert shows_all("NAME   AGE\n\nbert   3s\nfraud  7s\n", shown) is same


def test_a_recorded_answer_keeps_what_fits_and_writes_the_rest_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ printf 'a 1\\nb 5s\\nlong words\\n'\na 2\nlong…\n$ echo well\nw…\n```\n")
    monkeypatch.setenv("AIOP_RECORD", "1")
    assert follow(str(page), tmp_path, tmp_path / "none", same=shows_all) == 2
    monkeypatch.delenv("AIOP_RECORD")
    assert (
        page.read_text() == "```console\n$ printf 'a 1\\nb 5s\\nlong words\\n'\na 1\nb …\nlong…\n$ echo well\nw…\n```\n"
    )
    assert follow(str(page), tmp_path, tmp_path / "none", same=shows_all) == 2
    page.write_text(page.read_text().replace("w…", "ill"))
    with pytest.raises(AssertionError, match="echo well"):
        follow(str(page), tmp_path, tmp_path / "none", same=shows_all)
