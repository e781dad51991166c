"""A classifier as an ONNX graph, from the text to the label, so that any server of ONNX models answers alike."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
from onnx import TensorProto, helper

from aiop.cli.demo.model.training import Classifier

# The newest operator is StringSplit, of 20; both numbers are older than the runtime by far, so that others read it too.
_OPERATORS = 21
_FORMAT = 10
LABELS = ("negative", "positive")


def onnx_bytes(classifier: Classifier, version: str) -> bytes:
    """The file's content.

    Input ``text``: strings of shape [N], each as ``normalized`` makes it. Outputs ``label``: strings of shape [N],
    each one of LABELS; ``probabilities``: floats of shape [N, 2], in the order of LABELS.
    """
    graph = helper.make_graph(
        [
            helper.make_node("StringSplit", ["text"], ["words", "word_counts"], delimiter=" "),
            helper.make_node("TfIdfVectorizer", ["words"], ["term_counts"], **_counted(classifier)),
            helper.make_node("Gemm", ["term_counts", "weights", "bias"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=-1),
            helper.make_node("ArgMax", ["scores"], ["best"], axis=-1, keepdims=0),
            helper.make_node("Gather", ["labels", "best"], ["label"], axis=0),
        ],
        name="sentiment",
        inputs=[helper.make_tensor_value_info("text", TensorProto.STRING, ["N"])],
        outputs=[
            helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(LABELS)]),
        ],
        initializer=_constants(classifier),
        doc_string="A sentiment classifier of words, a stand-in for BERT in a demonstration.",
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPERATORS)], ir_version=_FORMAT)
    helper.set_model_props(model, {"version": version, "stand_in_for": "BERT"})
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _constants(classifier: Classifier) -> list[TensorProto]:
    """Negative is the scale's zero: the softmax of [0, z] is the logistic function of z."""
    weights = [number for weight in classifier.weights for number in (0.0, weight)]
    return [
        helper.make_tensor("weights", TensorProto.FLOAT, [len(classifier.terms), len(LABELS)], weights),
        helper.make_tensor("bias", TensorProto.FLOAT, [len(LABELS)], [0.0, classifier.bias]),
        onnx.numpy_helper.from_array(np.array(LABELS, dtype=object), "labels"),
    ]


def _counted(classifier: Classifier) -> Mapping[str, Any]:
    """TfIdfVectorizer's attributes: the pool holds all single words, then all pairs; the indexes say which is which."""
    longest = max(len(term) for term in classifier.terms)
    by_length = [[term for term in classifier.terms if len(term) == size] for size in range(1, longest + 1)]
    starts = [sum(len(terms) * size for size, terms in enumerate(by_length[:at], 1)) for at in range(longest)]
    number = {term: index for index, term in enumerate(classifier.terms)}
    return {
        "mode": "TF",
        "min_gram_length": 1,
        "max_gram_length": longest,
        "max_skip_count": 0,
        "ngram_counts": starts,
        "ngram_indexes": [number[term] for terms in by_length for term in terms],
        "pool_strings": [word for terms in by_length for term in terms for word in term],
    }
