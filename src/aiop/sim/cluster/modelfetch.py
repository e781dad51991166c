"""The two containers that bring a model, as they end: what they leave behind, and how long they take.

A word in the model's URI decides, as a word in an image's name does elsewhere.
"""

import json
from dataclasses import dataclass

from aiop.sim.cluster.api import Object

MEASURE, FETCH = "measure-model", "fetch-model"
_GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Model:
    """How large it is, and how many seconds it takes."""

    files: int = 3
    bytes: int = _GIBIBYTE // 4
    seconds: float = 0.2


@dataclass(frozen=True, slots=True)
class _Failure:
    """Which container fails, with the fetcher's reason and sentence."""

    container: str
    reason: str
    message: str


_LARGE = Model(files=12, bytes=int(4.1 * _GIBIBYTE), seconds=6.0)
_FAILURES = {
    "no-such-model": _Failure(MEASURE, "NotFound", "There is nothing under that name."),
    "no-access": _Failure(MEASURE, "AccessDenied", "The credentials are known and may not read this."),
    "no-credentials": _Failure(MEASURE, "MissingCredentials", "The source wants credentials, and there are none."),
    "no-space": _Failure(
        MEASURE, "NoSpace", "The model needs 80.0 GB and the volume has 20.0 GB free; make it larger."
    ),
    "no-answer": _Failure(FETCH, "Unreachable", "The source gave no answer in 5 tries."),
    "bad-archive": _Failure(FETCH, "BadArchive", "The archive has a link that leads out of it: ../../etc/passwd."),
}


def model_of(container: Object) -> Model:
    """The model that such a container brings."""
    return _LARGE if "large-model" in _uri(container) else Model()


def fetch_failure(container: Object) -> str | None:
    """The termination message of a container that fails; None for one that does not, or brings no model."""
    for word, failure in _FAILURES.items():
        if failure.container == container["name"] and word in _uri(container):
            return _line(failure.reason, failure.message, Model(0, 0, 0.1))
    return None


def last_word(container: Object) -> str:
    """What a container leaves that has done its work; nothing if that is not to bring a model."""
    model = model_of(container)
    if container["name"] == MEASURE:
        return _line("Measured", f"The model has {model.files} files.", model)
    if container["name"] == FETCH:
        return _line("Fetched", f"Fetched {model.files} files in {model.seconds:.0f} s.", model)
    return ""


def seconds_of(container: Object) -> float:
    """How long such a container takes; any other is done at once."""
    return model_of(container).seconds if container["name"] == FETCH else 0.0


def _uri(container: Object) -> str:
    """The URI is the second argument, after what is to be done."""
    if container["name"] not in {MEASURE, FETCH}:
        return ""
    return " ".join(str(each) for each in container.get("args") or [])


def _line(reason: str, message: str, model: Model) -> str:
    counted = {"files": model.files, "bytes": model.bytes, "seconds": model.seconds}
    return json.dumps({"reason": reason, "message": message, **counted})
