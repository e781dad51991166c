"""What comes back from a write: the object, or a Status where the server has no object to show."""

import msgspec


class _Kind(msgspec.Struct):
    kind: str = ""


_kind = msgspec.json.Decoder(_Kind).decode
_NO_OBJECT = b'{"metadata":{}}'


def object_in(data: bytes) -> bytes:
    """The object's JSON; of a Status (evictions and some deletions answer so) that of an empty object.

    Raises msgspec.DecodeError for nonsense.
    """
    return _NO_OBJECT if _kind(data).kind == "Status" else data
