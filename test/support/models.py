"""Small models for real servers: scikit-learn's iris for MLServer, an ONNX model in a repository for Triton.

Each has a first version, a second that answers differently, and a corrupt one, whose file was cut in half.
"""

import hashlib
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cache import alone, cache_folder
from hack.environments import ensure_environment

_MAKER = Path(__file__).parent / "modelmaker.py"
_REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "testmodels.txt"
VERSIONS = ("1", "2", "corrupt")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """``folder`` holds a folder for each of VERSIONS; ``request`` is a body of V2 inference."""

    name: str
    framework: str
    folder: Path
    request: Mapping[str, Any]
    answers: Mapping[str, list[float]]

    def files(self, version: str) -> Path:
        """What `<model store>/<name>/<version>` holds."""
        return self.folder / version


def iris() -> ServedModel:
    """A setosa, a versicolor and a virginica: classes 0, 1, 2 to the first version, and 10, 11, 12 to the second."""
    data = [5.1, 3.5, 1.4, 0.2, 6.0, 2.7, 4.0, 1.3, 6.9, 3.1, 5.4, 2.1]
    inputs = [{"name": "predict", "shape": [3, 4], "datatype": "FP64", "data": data}]
    answers: dict[str, list[float]] = {"1": [0, 1, 2], "2": [10, 11, 12]}
    return ServedModel("iris", "sklearn", ensure_models() / "iris", {"inputs": inputs}, answers)


def affine() -> ServedModel:
    """2x + 1 to the first version, 3x to the second."""
    inputs = [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [0, 1, 2, 3]}]
    answers: dict[str, list[float]] = {"1": [1, 3, 5, 7], "2": [0, 3, 6, 9]}
    return ServedModel("affine", "ONNX", ensure_models() / "affine", {"inputs": inputs}, answers)


def ensure_models() -> Path:
    """The folder of all of them in the user's cache, made if it is not there, by a Python that has what it needs."""
    made_of = _MAKER.read_bytes() + _REQUIREMENTS.read_bytes()
    base = cache_folder() / "models"
    folder = base / hashlib.sha256(made_of).hexdigest()[:12]
    with alone(base):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=base) as work:
                python = ensure_environment("testmodels")
                subprocess.run([str(python), "-P", str(_MAKER), f"{work}/made"], check=True)
                (Path(work) / "made").rename(folder)  # atomic: the path exists only once all of it is there
    return folder
