"""What a request's body asks of the model, and what is answered; pure but for the model's own work.

Two forms reach the same address. The V2 protocol's has ``inputs``; the plain one has ``text``, for a person with curl:
``{"text": "What a day"}``, answered by ``{"model": …, "version": …, "label": …, "score": …}``; a list of texts is
answered by ``predictions``, one for each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from aiop.cli.demo.modelserver.errors import BadRequest
from aiop.cli.demo.modelserver.model import Array, Model, Signature
from aiop.cli.demo.modelserver.tensors import decode, encode

_PLATFORM = "onnxruntime_onnx"
# Four digits tell probabilities apart as well as a person wants.
_DIGITS = 4
_EXAMPLE = '{"text": "What a lovely day"}'


def metadata(model: Model) -> dict[str, Any]:
    """What `GET /v2/models/<model>` says."""
    return {
        "name": model.name,
        "versions": [model.number],
        "platform": _PLATFORM,
        "inputs": [msgspec.to_builtins(each) for each in model.inputs],
        "outputs": [msgspec.to_builtins(each) for each in model.outputs],
    }


def answer(body: bytes, model: Model) -> dict[str, Any]:
    """The answer to a body of either form; raises BadRequest."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise BadRequest(f"the body must be a JSON object, such as {_EXAMPLE}")
    if "inputs" in request:
        return _inferred(request, model)
    if "text" in request:
        return _predicted(request["text"], model)
    raise BadRequest(f"the body has neither inputs (the V2 protocol) nor text (such as {_EXAMPLE})")


def _inferred(request: Mapping[str, Any], model: Model) -> dict[str, Any]:
    asked = _asked(request, model)
    results = model.run(_arrays(request["inputs"], model), [each.name for each in asked])
    named = {"id": request["id"]} if isinstance(request.get("id"), str) else {}
    return {
        "model_name": model.name,
        "model_version": model.number,
        **named,
        "outputs": [encode(each, results[each.name]) for each in asked],
    }


def _arrays(inputs: Any, model: Model) -> dict[str, Array]:
    given = {str(each["name"]): each for each in _named(inputs, "inputs")}
    wanted = {each.name: each for each in model.inputs}
    if unknown := sorted(given.keys() - wanted.keys()):
        raise BadRequest(f"unexpected input {unknown[0]!r}; the model has {', '.join(wanted)}")
    if missing := [name for name in wanted if name not in given]:
        raise BadRequest(f"input {missing[0]!r} is missing")
    return {name: decode(tensor, wanted[name]) for name, tensor in given.items()}


def _asked(request: Mapping[str, Any], model: Model) -> Sequence[Signature]:
    """The outputs that are asked for; all if none is named."""
    if not request.get("outputs"):
        return model.outputs
    known = {each.name: each for each in model.outputs}
    names = [str(each["name"]) for each in _named(request["outputs"], "outputs")]
    if unknown := [name for name in names if name not in known]:
        raise BadRequest(f"unexpected output {unknown[0]!r}; the model has {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _named(tensors: Any, field: str) -> list[Mapping[str, Any]]:
    good = isinstance(tensors, list) and all(isinstance(each, dict) and "name" in each for each in tensors)
    if not good:
        raise BadRequest(f"{field} must be a list of objects with a name")
    return list(tensors)


def _predicted(text: Any, model: Model) -> dict[str, Any]:
    texts = text if isinstance(text, list) else [text]
    if not texts or not all(isinstance(each, str) for each in texts):
        raise BadRequest(f"text must be a string, or a list of strings with one at least, such as {_EXAMPLE}")
    results = model.run({"text": np.array(texts, dtype=object)}, ["label", "probabilities"])
    scores = results["probabilities"].max(axis=1)
    predictions = [
        {"label": str(label), "score": round(float(score), _DIGITS)}
        for label, score in zip(results["label"], scores, strict=True)
    ]
    head = {"model": model.name, "version": model.version}
    return {**head, "predictions": predictions} if isinstance(text, list) else {**head, **predictions[0]}
