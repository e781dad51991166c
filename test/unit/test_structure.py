"""What must hold of the source as a whole."""

import re
from pathlib import Path

import pytest

from hack.generated.runtime import promises

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "src" / "aiop" / "runtime"
LINES = {str(number) for number in range(1, 95)} | {f"S{number}" for number in range(1, 39)}
# Whole words only: "tune" in "fortune" and "train" in "constraint" are innocent.
WORDS_OF_AI = re.compile(
    r"\b(ai|ml|gpus?|cuda|nvidia|inference|serving|training|trainer|train|tuning|hyperparameters?|trials?|epochs?"
    r"|checkpoints?|tensors?|pytorch|tensorflow|llm|aiworkloads?|models?store|modeluri)\b",
    re.IGNORECASE,
)
# A field of EndpointSlice, which has the word from Kubernetes.
ENDPOINT_FIELD = "    serving: bool | None = None"


@pytest.mark.parametrize("path", sorted(RUNTIME.rglob("*.py")), ids=lambda path: str(path.relative_to(RUNTIME)))
def test_no_file_of_the_runtime_is_long_or_knows_a_word_of_ai(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert [line for line in text.splitlines() if WORDS_OF_AI.search(line) and line != ENDPOINT_FIELD] == []


def test_every_line_of_the_runtimes_contract_is_held_by_a_test() -> None:
    held = {line for promise in promises() for line in promise.arguments}
    assert sorted(LINES - held) == []
    assert sorted(held - LINES) == [], "no such line"
