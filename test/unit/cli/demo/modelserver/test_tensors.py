"""Tensors of the kinds that the demo's own model does not take."""

from typing import Any

import numpy as np
import pytest

from aiop.cli.demo.modelserver.errors import BadRequest
from aiop.cli.demo.modelserver.model import Signature
from aiop.cli.demo.modelserver.tensors import decode, encode

FLOATS = Signature("x", "FP32", (-1, 2))
WHOLE = Signature("n", "INT64", (-1,))


def tensor(signature: Signature, data: Any, shape: list[int]) -> dict[str, Any]:
    return {"name": signature.name, "datatype": signature.datatype, "shape": shape, "data": data}


@pytest.mark.parametrize("data", [[1, 2.5, 3, 4], [[1, 2.5], [3, 4]], [[1, 2.5], 3, 4]])
def test_numbers_may_be_flat_or_nested(data: Any) -> None:
    array = decode(tensor(FLOATS, data, [2, 2]), FLOATS)
    assert array.dtype == np.float32
    assert array.tolist() == [[1.0, 2.5], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("signature", "data", "shape", "words"),
    [
        (FLOATS, [1, "2"], [1, 2], "element 1 of data is no number"),
        (FLOATS, [1, True], [1, 2], "element 1 of data is no number"),
        (FLOATS, [[[1, 2]]], [1, 2], "shape [1, 2] wants 2 elements, and data has 1"),
        (FLOATS, [1, 2, 3], [1, 3], "shape is [1, 3]; the model takes [-1, 2]"),
        (WHOLE, [1.5], [1], "element 0 of data is no whole number"),
        (WHOLE, [2**63], [1], "does not fit into 64 bits"),
    ],
)
def test_what_does_not_fit_is_refused(signature: Signature, data: Any, shape: list[int], words: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode(tensor(signature, data, shape), signature)
    assert words in str(refusal.value)


def test_an_array_is_written_flat_with_its_shape() -> None:
    array = np.array([[1.0, 2.0]], dtype=np.float32)
    assert encode(FLOATS, array) == {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}
