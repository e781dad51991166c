"""The part of metadata that every view keeps."""

from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec.structs import force_setattr

from aiop.runtime.views.frozen import frozen


class OwnerReference(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An ownerReference, without what nobody reads."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Metadata as controllers need it; managedFields are left to the views that ask for them.

    Times are the server's own RFC 3339 text; labels and annotations refuse to be changed.
    """

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "labels", frozen(self.labels))
        force_setattr(self, "annotations", frozen(self.annotations))

    def controller(self) -> OwnerReference | None:
        """The one owner that controls this object, if any."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class ObjectView(Protocol):
    """Anything that has metadata: what informers store and controllers read."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""
        ...
