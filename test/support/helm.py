"""helm as people use it: the official binary, a kubeconfig and a namespace."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.helm import ensure_helm

CHART = Path(__file__).parents[2] / "charts" / "aiop"
# Of the first version, as it was published: what people upgrade from.
OLD_CHART = Path(__file__).parents[1] / "e2e" / "fixtures" / "chart-0.1.0"


@dataclass(frozen=True, slots=True)
class Helm:
    kubeconfig: Path
    namespace: str

    def __call__(self, *arguments: str | Path) -> str:
        """Run it and return what it printed; fails the test if it is refused."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"helm {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    def refusal(self, *arguments: str | Path) -> str:
        """What it says when it is refused; fails the test if it is not."""
        done = self.run(*arguments)
        assert done.returncode, f"helm {' '.join(map(str, arguments))} was not refused: {done.stdout}"
        return done.stderr

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it, whatever its exit code."""
        command = [str(ensure_helm()), "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]
        words = [*command, *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
