"""What must hold of the source as a whole."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "src" / "aiop" / "runtime"
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
