"""The demo's model store: a folder as a claim would hold it, `<model>/<version>/1/model.onnx`, the layout of Triton."""

from pathlib import Path

from aiop.cli.demo.model.graph import onnx_bytes
from aiop.cli.demo.model.training import train

MODEL = "bert-base-uncased"
# The first one reads single words; the next one reads pairs of words too, so it knows what "not disappointed" means.
FIRST, NEXT = "v1.0.0", "v1.1.0"
_LONGEST_TERMS = {FIRST: 1, NEXT: 2}
# The one whose upload was cut short.
DAMAGED = "v1.2.0"


def make_store(folder: Path) -> None:
    """Train each version and write it, in about a second; what stands there already is overwritten."""
    for version, longest in _LONGEST_TERMS.items():
        _write(folder, version, onnx_bytes(train(longest_term=longest), version))
    whole = (folder / MODEL / NEXT / "1" / "model.onnx").read_bytes()
    _write(folder, DAMAGED, whole[: len(whole) // 2])


def _write(folder: Path, version: str, content: bytes) -> None:
    # The number is Triton's own count of what lies in one repository.
    path = folder / MODEL / version / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
