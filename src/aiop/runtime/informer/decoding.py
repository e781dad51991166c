"""From an object's JSON to its view, with suspicion: one bad object may not stop the stream."""

from collections.abc import Callable
from typing import Generic, NamedTuple

import msgspec
import structlog

from aiop.runtime.client.depth import decode_deep
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.errors import ForeignObject, UndecodableObject
from aiop.runtime.informer.metrics import InformerMetrics
from aiop.runtime.informer.store import V
from aiop.runtime.views.nulls import nulls_left_out

log = structlog.get_logger(__name__)

_INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_NONSENSE = (msgspec.DecodeError, ValueError, RecursionError)


class TypeMeta(NamedTuple):
    """What an object calls itself; where it is empty, anything is expected."""

    api_version: str
    kind: str


class Bookmark(NamedTuple):
    """Where the watch stands; ``initial_end`` marks that all initial events have been told."""

    resource_version: str
    initial_end: bool


class _Types(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""


class _Identity(msgspec.Struct, rename="camel"):
    """What can be read of objects that are otherwise nonsense."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Identified(msgspec.Struct):
    metadata: _Identity


class _BookmarkMeta(msgspec.Struct, rename="camel"):
    """Without the creationTimestamp, which API servers up to 1.34 send as null."""

    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _BookmarkObject(msgspec.Struct):
    metadata: _BookmarkMeta


_types = nulls_left_out(msgspec.json.Decoder(_Types).decode)
_identify = nulls_left_out(msgspec.json.Decoder(_Identified).decode)
_bookmark = msgspec.json.Decoder(_BookmarkObject).decode


def read_bookmark(data: bytes) -> Bookmark:
    """A bookmark; one that makes no sense stands nowhere."""
    try:
        metadata = _bookmark(data).metadata
    except _NONSENSE:
        return Bookmark("", initial_end=False)
    return Bookmark(metadata.resource_version, (metadata.annotations or {}).get(_INITIAL_EVENTS_END) == "true")


class Decoding(Generic[V]):
    """One informer's decoder: what it does not raise is a view with a name, of the expected kind.

    Objects that do not say their kind, as the items of a list, are taken to be of it.
    """

    def __init__(
        self, informer: str, decode: Callable[[bytes], V], expected: TypeMeta, metrics: InformerMetrics
    ) -> None:
        self._informer = informer
        self._decode = decode
        self._expected = expected
        self._metrics = metrics
        # API servers write these two first, in either order: a comparison of bytes spares every event a second parse.
        names = tuple(msgspec.json.encode(name) for name in expected)
        self._usual = (
            b'{"apiVersion":%b,"kind":%b,' % names,
            b'{"kind":%b,"apiVersion":%b,' % names[::-1],
        )

    def view(self, data: bytes) -> V:
        """The view; raises ForeignObject or UndecodableObject, and nothing else."""
        if not data.startswith(self._usual):
            self._require_kind(data)
        try:
            view = self._decode(data)
        except Exception as error:  # what a hostile object makes a decoder raise is not foreseeable
            raise self._undecodable(data, str(error)) from error
        if not view.metadata.name:
            raise self._undecodable(data, "it has no name")
        return view

    def _require_kind(self, data: bytes) -> None:
        try:
            told = _types(data)
        except _NONSENSE:
            return  # the decoder says better what is wrong
        pairs = zip((told.api_version, told.kind), self._expected, strict=True)
        if all(not said or not wanted or said == wanted for said, wanted in pairs):
            return
        self._metrics.skipped(self._informer)
        found = f"{told.api_version} {told.kind}".strip()
        name = self._name_of(_identity(data))
        log.error("object skipped: it is of another kind", informer=self._informer, object=name, kind=found)
        raise ForeignObject(found)

    def _undecodable(self, data: bytes, reason: str) -> UndecodableObject:
        self._metrics.skipped(self._informer)
        told = _identity(data)
        name = self._name_of(told)
        log.warning("object skipped: it cannot be decoded", informer=self._informer, object=name, error=reason)
        return UndecodableObject(
            reason,
            namespace=told.namespace,
            name=told.name,
            uid=told.uid,
            resource_version=told.resource_version,
        )

    @staticmethod
    def _name_of(told: _Identity) -> str:
        return str(ObjectKey(told.namespace, told.name)) if told.name else "unknown"


def _identity(data: bytes) -> _Identity:
    """Whose JSON it is, as far as that can be read."""
    try:
        return decode_deep(_identify, data).metadata
    except _NONSENSE:
        return _Identity()
