"""A test that measures what belongs to the whole process gets a process of its own.

Others leave threads at work, such as a cluster that a package of tests shares: what these allocate is traced as well.
"""

import os
import subprocess
import sys

import pytest

_MARKER = "own_process"
IS_OWN = "AIOP_TEST_OWN_PROCESS"
# For a start of Python and of pytest, on a machine that has much else to do.
_SECONDS = 120.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a marked test by another pytest, which runs only it; fail with what that one printed."""
    if pyfuncitem.get_closest_marker(_MARKER) is None or IS_OWN in os.environ:
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", pyfuncitem.nodeid]
    ran = subprocess.run(
        command,
        cwd=pyfuncitem.config.rootpath,
        env={**os.environ, IS_OWN: "1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if ran.returncode:
        pytest.fail(f"in a process of its own:\n{ran.stdout}{ran.stderr}", pytrace=False)
    return True
