"""The view of an object of which only the metadata was asked for."""

import msgspec

from aiop.runtime.views.meta import ObjectMeta


class PartialObject(msgspec.Struct, frozen=True, gc=False):
    """Any object, as a PartialObjectMetadata brings it."""

    metadata: ObjectMeta


decode_partial = msgspec.json.Decoder(PartialObject).decode
