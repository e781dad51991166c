"""`aiop explain` as people and machines call it, in this process."""

import contextlib
import io
import json
from typing import Any, NamedTuple

from aiop.cli.main import main
from support.kubectl import Kubectl


class Said(NamedTuple):
    """How it ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def say(*arguments: str) -> Said:
    """`aiop explain` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["explain", *arguments])
    return Said(code, out.getvalue(), err.getvalue())


def told(kubectl: Kubectl, name: str = "demo", *arguments: str) -> list[str]:
    """The lines for a workload; fails the test if it ends with an error."""
    said = say(f"aiworkload/{name}", "--kubeconfig", str(kubectl.kubeconfig), "-n", kubectl.namespace, *arguments)
    assert said.code == 0, said.err
    return said.lines


def explained(kubectl: Kubectl, name: str = "demo") -> dict[str, Any]:
    """The explanation for machines."""
    answer: dict[str, Any] = json.loads("\n".join(told(kubectl, name, "-o", "json")))
    return answer
