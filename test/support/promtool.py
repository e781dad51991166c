"""promtool's rule tests, written from cases and run."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from hack.prometheus import ensure_prometheus

RULES = Path(__file__).parents[2] / "charts" / "aiop" / "files" / "rules"
_TEMPLATE = re.compile(r"\{\{ *\$(labels\.(?P<label>\w+)|value[^}]*) *\}\}")


def groups() -> list[Any]:
    """Every group of rules, in the order of the files."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yaml"))]
    return [group for file in files for group in file["groups"]]


def alerts() -> dict[str, Any]:
    """Every alert of the chart, by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def rules() -> list[Any]:
    """Every rule of the chart."""
    return [rule for group in groups() for rule in group["rules"]]


def shown(text: str, labels: Mapping[str, str], value: str) -> str:
    """An annotation as Prometheus shows it."""
    return _TEMPLATE.sub(lambda match: labels[match["label"]] if match["label"] else value, text)


def run_rule_tests(tests: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Run them; an AssertionError has promtool's words."""
    file = folder / "tests.yaml"
    body = {
        "rule_files": [str(path) for path in sorted(RULES.glob("*.yaml"))],
        "evaluation_interval": "1m",
        # Else promtool's order is a matter of chance, and what is recorded in one group is a minute old in another.
        "group_eval_order": [group["name"] for group in groups()],
        "tests": list(tests),
    }
    file.write_text(yaml.safe_dump(body, sort_keys=False, width=1000))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def promtool(*arguments: str, given: bytes | None = None) -> "subprocess.CompletedProcess[str]":
    """What promtool says."""
    command = [str(ensure_prometheus().promtool), *arguments]
    text = None if given is None else given.decode()
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
