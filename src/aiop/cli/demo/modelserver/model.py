"""One model, loaded into ONNX Runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from aiop.cli.demo.model.words import normalized
from aiop.cli.demo.modelserver.errors import BadRequest, ModelServerError

# What ONNX Runtime calls a tensor's type, and what the V2 protocol calls it.
_DATATYPES = {"tensor(string)": "BYTES", "tensor(float)": "FP32", "tensor(int64)": "INT64"}
_FILE = "model.onnx"
# Numbers of folders are compared as numbers: 10 is more than 9.
_DIGITS = 9

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """An input or output; -1 in ``shape`` stands for any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Model:
    """Answers for one version of one model; safe to use from several threads.

    ``number`` is the version as Triton counts (a folder of that name), ``version`` what the file itself says.
    """

    def __init__(self, name: str, number: str, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.name = name
        self.number = number
        self.version = str(session.get_modelmeta().custom_metadata_map.get("version", number))
        self.inputs = tuple(map(_signature, session.get_inputs()))
        self.outputs = tuple(map(_signature, session.get_outputs()))

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """The outputs of those names; strings reach the graph as their words, which is what it learned from.

        Raises BadRequest with the runtime's words if the graph does not take the inputs.
        """
        given = {name: _worded(array) if array.dtype == object else array for name, array in inputs.items()}
        try:
            results = self._session.run(list(outputs), given)
        except Exception as error:
            raise BadRequest(f"the model cannot answer that: {error}") from error
        return dict(zip(outputs, results, strict=True))


def load(folder: Path, name: str) -> Model:
    """The highest version of the model in ``folder``; raises ModelServerError, which names file and fault."""
    found = sorted(folder.glob(f"*/{_FILE}"), key=lambda path: path.parent.name.zfill(_DIGITS))
    if not found:
        message = f"no model in {folder}: there is no <number>/{_FILE}"
        raise ModelServerError(message)
    path = found[-1]
    try:
        session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
    except Exception as error:
        message = f"{path} ({path.stat().st_size} bytes) cannot be loaded: {_cause(error)}"
        raise ModelServerError(message) from error
    return Model(name, path.parent.name, session)


def _cause(error: Exception) -> str:
    """The runtime's words, without the path that it repeats."""
    return str(error).rpartition("failed:")[2].strip()


def _options() -> onnxruntime.SessionOptions:
    """One thread and no memory kept in store: several servers share one small machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # what goes wrong is raised too, and told once
    return options


def _signature(node: Any) -> Signature:
    shape = tuple(length if isinstance(length, int) else -1 for length in node.shape)
    return Signature(node.name, _DATATYPES.get(node.type, node.type), shape)


def _worded(texts: Array) -> Array:
    words = [normalized(text) for text in texts.ravel()]
    return np.array(words, dtype=object).reshape(texts.shape)
