"""Tensors between the V2 protocol's JSON and arrays; pure, and wary of what comes in."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from aiop.cli.demo.modelserver.errors import BadRequest
from aiop.cli.demo.modelserver.model import Array, Signature

_ELEMENTS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "BYTES": (str, "a string"),
    "FP32": ((int, float), "a number"),
    "INT64": (int, "a whole number"),
}
_ARRAYS: Mapping[str, Any] = {"BYTES": object, "FP32": np.float32, "INT64": np.int64}
_LARGEST_INTEGER = 2**63


def decode(tensor: Mapping[str, Any], wanted: Signature) -> Array:
    """The array of one entry of ``inputs``; ``data`` may be flat or nested. Raises BadRequest."""
    where = f"input {wanted.name!r}"
    if "parameters" in tensor and "binary_data_size" in (tensor["parameters"] or {}):
        raise BadRequest(f"{where}: binary data is not taken here; send data as JSON")
    if tensor.get("datatype") != wanted.datatype:
        raise BadRequest(f"{where}: datatype is {tensor.get('datatype')!r}; send {wanted.datatype}")
    shape = _shape(tensor.get("shape"), wanted, where)
    data = tensor.get("data")
    if not isinstance(data, list):
        raise BadRequest(f"{where}: data must be a list")
    elements = list(_flat(data, len(shape)))
    if len(elements) != math.prod(shape):
        raise BadRequest(
            f"{where}: shape {list(shape)} wants {math.prod(shape)} elements, and data has {len(elements)}"
        )
    _check_elements(elements, wanted.datatype, where)
    return np.array(elements, dtype=_ARRAYS[wanted.datatype]).reshape(shape)


def encode(signature: Signature, array: Array) -> dict[str, Any]:
    """One entry of ``outputs``, its data flat."""
    return {
        "name": signature.name,
        "datatype": signature.datatype,
        "shape": list(array.shape),
        "data": array.ravel().tolist(),
    }


def _shape(given: Any, wanted: Signature, where: str) -> tuple[int, ...]:
    if not isinstance(given, list) or not all(_is(each, int) and each >= 0 for each in given):
        raise BadRequest(f"{where}: shape must be a list of whole numbers")
    fits = len(given) == len(wanted.shape) and all(
        mine in (-1, theirs) for mine, theirs in zip(wanted.shape, given, strict=True)
    )
    if not fits:
        raise BadRequest(f"{where}: shape is {given}; the model takes {list(wanted.shape)}, -1 being any length")
    return tuple(given)


def _flat(data: list[Any], depth: int) -> Any:
    for each in data:
        if isinstance(each, list) and depth > 1:
            yield from _flat(each, depth - 1)
        else:
            yield each


def _check_elements(elements: list[Any], datatype: str, where: str) -> None:
    kind, words = _ELEMENTS[datatype]
    wrong = next((at for at, each in enumerate(elements) if not _is(each, kind)), None)
    if wrong is not None:
        raise BadRequest(f"{where}: element {wrong} of data is no {words.removeprefix('a ')}")
    if datatype == "INT64" and not all(-_LARGEST_INTEGER <= each < _LARGEST_INTEGER for each in elements):
        raise BadRequest(f"{where}: an element of data does not fit into 64 bits")


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    """True and False are no numbers here."""
    return isinstance(value, kind) and not isinstance(value, bool)
