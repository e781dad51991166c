"""The last word of the containers that bring a model: one line of JSON, written where a tenant can write too."""

from collections.abc import Mapping

import msgspec

from aiop.controllers.serving.causes.cause import Cause
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.controllers.serving.words import one_line
from aiop.runtime.views.workloads import Terminated

FETCHERS = frozenset({MEASURE, FETCH})
# More than a PiB, a year or a million million files is nobody's model.
_MOST_BYTES, _MOST_FILES, _MOST_SECONDS = 2**50, 10**12, 366 * 86400
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


class Word(msgspec.Struct, frozen=True):
    """What the fetcher said; numbers are 0 where it said nothing of them, or nonsense."""

    reason: str = ""
    message: str = ""
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0

    @property
    def size(self) -> str:
        """The size in words; empty if it is not known."""
        if not self.files:
            return ""
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{size_in_words(self.bytes)} in {files}"


def word_of(ended: Terminated | None) -> Word:
    """What a container left behind; an empty word for what the fetcher cannot have said."""
    if ended is None:
        return Word()
    try:
        word = msgspec.json.decode(ended.message, type=Word)
    except (msgspec.DecodeError, RecursionError):
        return Word()
    sane = 0 <= word.bytes <= _MOST_BYTES and 0 <= word.files <= _MOST_FILES and 0 <= word.seconds <= _MOST_SECONDS
    return word if sane else Word(word.reason, word.message)


def fetch_failed(head: str, how: Terminated, tail: str) -> Cause:
    """Why a model is not here, as the fetcher says; by its exit code if it says nothing that makes sense."""
    word = word_of(how)
    known = _FAILURES.get(word.reason)
    if known is None or not word.message:
        words = one_line(how.message)
        told = f"exit code {how.exit_code} ({how.reason or 'no reason given'}){f': {words}' if words else ''}"
        return Cause("ModelFetchFailed", f"{head} ended with {told}; {tail}")
    return Cause(known.reason, f"{head} failed: {one_line(word.message).rstrip('. ')}; {known.message}; {tail}")


def size_in_words(size: int) -> str:
    """``size`` bytes in the units of Kubernetes' own quantities: 4.1 GiB."""
    amount = float(size)
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


# By the fetcher's own reason: ours, and what to do.
_FAILURES: Mapping[str, Cause] = {
    "AccessDenied": Cause("ModelAccessDenied", "see what the credentials of spec.credentials may read"),
    "MissingCredentials": Cause("ModelCredentialsMissing", "name a Secret that holds them in spec.credentials"),
    "NotFound": Cause("ModelNotFound", "put the files there, or correct spec.modelUri or spec.modelVersion"),
    "NoSpace": Cause("ModelNoSpace", "make room on the nodes, or serve the model from a claim (pvc://…)"),
    "TooLarge": Cause("ModelTooLarge", "raise the fetcher's limit, or serve a smaller model"),
    "Unreachable": Cause("ModelUnreachable", "see how the pods reach the store: DNS, a proxy, a NetworkPolicy"),
    "BadArchive": Cause("ModelArchiveBroken", "pack the model anew, with plain files and folders only"),
    "BadUri": Cause("ModelUriInvalid", "correct spec.modelUri"),
    "Failed": Cause("ModelFetchFailed", "its log says more"),
}
