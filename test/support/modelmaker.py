"""Makes the models that tests serve; run by a Python that has scikit-learn and onnx: `modelmaker.py FOLDER`.

Nothing of the project is imported here: this runs in an environment of its own.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

# Triton asks for the model's interface; the name is that of the folder, whatever it is called.
_CONFIG = """\
backend: "python"
max_batch_size: 0
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""
_SERVED_BY_ONNX_RUNTIME = '''\
"""An ONNX model on Triton's Python backend."""

import os

import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.join(args["model_repository"], args["model_version"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = os.path.join(folder, "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        return [self.answered(triton.get_input_tensor_by_name(each, "x").as_numpy()) for each in requests]

    def answered(self, values):
        (result,) = self.session.run(["y"], {"x": values})
        return triton.InferenceResponse(output_tensors=[triton.Tensor("y", result)])
'''


def sklearn(folder: Path, first_class: int) -> None:
    """The iris classifier; its three classes are called by numbers from ``first_class`` on."""
    folder.mkdir(parents=True)
    samples = load_iris()
    joblib.dump(
        DecisionTreeClassifier(random_state=0).fit(samples.data, samples.target + first_class), folder / "model.joblib"
    )
    settings = {
        "name": "iris",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
    }
    (folder / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")


def triton(folder: Path, factor: float, addend: float) -> None:
    """y = factor * x + addend, as an ONNX model in a folder of a Triton model repository."""
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")
    (folder / "1" / "model.py").write_text(_SERVED_BY_ONNX_RUNTIME, encoding="utf-8")
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["product"]), helper.make_node("Add", ["product", "addend"], ["y"])],
        "affine",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        [
            numpy_helper.from_array(np.array(factor, dtype=np.float32), "factor"),
            numpy_helper.from_array(np.array(addend, dtype=np.float32), "addend"),
        ],
    )
    # Old enough for every ONNX Runtime of these years.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "1" / "model.onnx").write_bytes(model.SerializeToString())


def corrupt(file: Path) -> None:
    """Cut a file in half, as an interrupted copy leaves it."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def main(target: Path) -> None:
    for version, first_class in (("1", 0), ("2", 10), ("corrupt", 0)):
        sklearn(target / "iris" / version, first_class)
    corrupt(target / "iris" / "corrupt" / "model.joblib")
    for version, factor, addend in (("1", 2.0, 1.0), ("2", 3.0, 0.0), ("corrupt", 2.0, 1.0)):
        triton(target / "affine" / version, factor, addend)
    corrupt(target / "affine" / "corrupt" / "1" / "model.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
