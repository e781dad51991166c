"""kubectl as people use it: the official binary, a kubeconfig, words in and words out."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One for every wait of the suite: when to give up, not how long a thing may take. What should happen happens within a
# few seconds on a quiet machine; here a slow one runs several suites side by side.
PATIENCE_SECONDS = 120.0
# As long for `kubectl wait`, which ends by itself before it is ended.
_PROCESS_SECONDS = 180.0
_POLL_SECONDS = 0.1


class KubectlFailed(AssertionError):
    """Raised when kubectl ends with an error that the test did not expect; the text is what it printed."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    kubeconfig: Path
    namespace: str = "default"

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Run it and return what it printed; raises KubectlFailed."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            message = f"kubectl {' '.join(arguments)}: {done.stderr}"
            raise KubectlFailed(message)
        return done.stdout

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it, whatever its exit code."""
        binary = Path(sys.executable).with_name("kubectl")
        program = str(binary) if binary.exists() else shutil.which("kubectl") or "kubectl"
        command = [program, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=_PROCESS_SECONDS
        )

    def refusal(self, *arguments: str, stdin: str = "") -> str:
        """What it says when it is refused; fails the test if it is not."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode, f"kubectl {' '.join(arguments)} was not refused: {done.stdout}"
        return done.stderr

    def get(self, *arguments: str) -> Any:
        """`kubectl get … -o json`, decoded."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def items(self, *arguments: str) -> list[Any]:
        """The items of a list."""
        found: list[Any] = self.get(*arguments)["items"]
        return found

    def apply(self, manifest: dict[str, Any] | str) -> str:
        """`kubectl apply -f -`."""
        return self("apply", "-f", "-", stdin=manifest if isinstance(manifest, str) else json.dumps(manifest))


def eventually(check: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS, told: Callable[[], Any] = str) -> Any:
    """The first true answer of ``check``; fails with what ``told`` says when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        answer = check()
        if answer:
            return answer
        now = time.monotonic()
        if now > deadline:
            message = f"not true after {seconds:.0f} s: {told()}"
            raise AssertionError(message)
        # Where asking takes long, as on a busy machine, it shall not keep what is waited for from its work.
        time.sleep(max(_POLL_SECONDS, now - asked))
