"""The view of an object of which only the metadata was asked for."""

import msgspec

from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out


class PartialObject(msgspec.Struct, frozen=True, gc=False):
    """Any object, as a PartialObjectMetadata brings it."""

    metadata: ObjectMeta


decode_partial = nulls_left_out(msgspec.json.Decoder(PartialObject).decode)
