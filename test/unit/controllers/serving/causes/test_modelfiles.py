"""What the fetcher says when it fails, and what a tenant may write in its place."""

import pytest

from aiop.controllers.serving.causes.modelfiles import Word, size_in_words, word_of
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.fetcher import errors
from aiop.runtime.views.workloads import Terminated
from support.pods import FETCHED, cause_of, failed, pod, said

REASONS = {
    "AccessDenied": "ModelAccessDenied",
    "MissingCredentials": "ModelCredentialsMissing",
    "NotFound": "ModelNotFound",
    "NoSpace": "ModelNoSpace",
    "TooLarge": "ModelTooLarge",
    "Unreachable": "ModelUnreachable",
    "BadArchive": "ModelArchiveBroken",
    "BadUri": "ModelUriInvalid",
    "Failed": "ModelFetchFailed",
}


@pytest.mark.parametrize("theirs", sorted(REASONS))
@pytest.mark.parametrize("name", [MEASURE, FETCH])
def test_each_failure_of_the_fetcher_has_a_reason_and_keeps_its_words(theirs: str, name: str) -> None:
    found = cause_of(pod(init=[failed(said(theirs, "No way."), name)]), pod(), template=FETCHED)
    assert found.reason == REASONS[theirs]
    assert found.message.startswith(f"container {name!r} of 1 of 2 pods failed: No way; ")
    assert found.message.endswith("it was restarted 2 times, and the kubelet restarts it after growing pauses")


def test_every_reason_that_the_fetcher_has_is_known() -> None:
    found = vars(errors).values()
    theirs = {each.reason for each in found if isinstance(each, type) and issubclass(each, errors.FetchError)}
    assert theirs == set(REASONS)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "403 Forbidden",
        "{",
        "[" * 3000,
        '{"reason": 7}',
        '{"reason": "NotFound"}',
        '{"reason": "Made up", "message": "x"}',
    ],
)
def test_what_is_no_word_of_the_fetcher_is_told_with_its_exit_code(words: str) -> None:
    found = cause_of(pod(init=[failed(words, code=3)]), template=FETCHED)
    assert found.reason == "ModelFetchFailed"
    assert "ended with exit code 3 (Error)" in found.message
    assert len(found.message) < 700


def test_a_hostile_word_is_one_short_line_without_control_characters() -> None:
    hostile = '{"reason": "NotFound", "message": "gone\\u001b[2J\\n\\u202e' + "x" * 3000 + '"}'
    found = cause_of(pod(init=[failed(hostile)]), template=FETCHED)
    assert found.reason == "ModelNotFound"
    assert found.message.isprintable()
    assert len(found.message) < 1000


@pytest.mark.parametrize(
    "numbers",
    ['"bytes": -1', '"bytes": 1e300', '"files": 99999999999999', '"seconds": -5', '"seconds": 1e12', '"bytes": "x"'],
)
def test_numbers_that_no_model_has_are_not_believed(numbers: str) -> None:
    found = word_of(Terminated(0, "Completed", f'{{"reason": "Fetched", "message": "m", {numbers}}}'))
    assert (found.files, found.bytes, found.seconds) == (0, 0, 0.0)


def test_a_container_that_left_nothing_said_nothing() -> None:
    assert word_of(None) == Word()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4_402_341_478, "4.1 GiB"),
        (2**50, "1.0 PiB"),
        (2**60, "1024.0 PiB"),
    ],
)
def test_sizes_are_told_in_the_units_of_quantities(size: int, words: str) -> None:
    assert size_in_words(size) == words


def test_a_size_needs_files_to_be_one() -> None:
    assert Word(files=12, bytes=4_402_341_478).size == "4.1 GiB in 12 files"
    assert Word(files=1, bytes=5).size == "5 B in 1 file"
    assert Word(bytes=5).size == ""
