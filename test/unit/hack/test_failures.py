"""The last lines of a failed run name each failed test and the beginning of its error."""

import subprocess
import sys
from pathlib import Path

import pytest

from hack.failures import failures

_TESTS = """
import pytest

@pytest.fixture(scope="module")
def broken():
    raise RuntimeError("no server: " + "x" * 1000)

def test_well():
    pass

@pytest.mark.skip
def test_left_out(broken):
    pass

@pytest.mark.parametrize("n", [1, 2])
def test_with_fixture(broken, n):
    pass

def test_wrong():
    assert 1 == 2, "one is\\nnot two"
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("some")
    folder = here / "reports"
    test = here / "test_some.py"
    test.write_text(_TESTS)
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={here}", f"--junit-xml={folder / 'some.xml'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(test)], capture_output=True, check=False, cwd=here
    )
    assert done.returncode == 1, done.stdout
    return folder


def test_each_failed_test_and_each_that_was_not_set_up_has_one_line_with_its_error(reports: Path) -> None:
    found = list(failures(reports))
    assert [line.partition(": ")[2].partition(": ")[0] for line in found] == [
        "test_some.py::test_with_fixture[1]",
        "test_some.py::test_with_fixture[2]",
        "test_some.py::test_wrong",
    ]
    assert "no server: xxx" in found[0]
    assert "one is not two" in found[2]
    assert all(len(line) < 400 and "\n" not in line for line in found)


def test_a_run_that_was_ended_before_its_report_is_named(tmp_path: Path) -> None:
    (tmp_path / "another.xml").touch()
    assert list(failures(tmp_path)) == ["another: ended without a report; its output above says how"]


def test_a_run_without_failures_has_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "some.xml").write_text('<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>')
    assert list(failures(tmp_path)) == []
