"""Lists: pages of one consistent version."""

import base64
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from aiop.sim.server.kinds import Kind
from aiop.sim.server.refusals import bad_request, expired, refused
from aiop.sim.storage.store import Store, Stored

# Lists that somebody is in the middle of; the oldest goes first, and its next page is 410.
_OPEN_LISTS = 256
_SECONDS_TO_WAIT = 1


class Pages:
    """Remembers the rest of lists that were asked for in pages: they stay as they were."""

    def __init__(self) -> None:
        self._rests: OrderedDict[int, tuple[int, list[Stored]]] = OrderedDict()
        self._next = 0

    def page(self, found: Sequence[Stored], version: int, limit: int) -> tuple[list[Stored], str, int]:
        """The first page, the token for the rest, and how many remain."""
        if not limit or len(found) <= limit:
            return list(found), "", 0
        return self._cut(list(found), version, limit)

    def more(self, token: str, limit: int) -> tuple[list[Stored], str, int, int]:
        """The next page, the token, how many remain, and the list's version; raises Refused."""
        try:
            number = int(base64.urlsafe_b64decode(token.encode()).decode())
        except ValueError as error:
            raise bad_request(f"continue key is not valid: {error}") from error
        if number not in self._rests:
            message = "The provided continue parameter is too old to display a consistent list result."
            raise expired(message)
        version, rest = self._rests.pop(number)
        page, following, remaining = self._cut(rest, version, limit or len(rest))
        return page, following, remaining, version

    def clear(self) -> None:
        """Compaction: no list can be continued."""
        self._rests.clear()

    def _cut(self, found: list[Stored], version: int, limit: int) -> tuple[list[Stored], str, int]:
        page, rest = found[:limit], found[limit:]
        if not rest:
            return page, "", 0
        self._next += 1
        self._rests[self._next] = (version, rest)
        if len(self._rests) > _OPEN_LISTS:
            self._rests.popitem(last=False)
        return page, base64.urlsafe_b64encode(str(self._next).encode()).decode(), len(rest)


def check_version(store: Store, version: str, match: str) -> None:
    """Raise Refused if the asked version makes no sense, or lies in the future."""
    if not version:
        return
    if not version.isdigit():
        raise bad_request(f'resourceVersion: Invalid value: "{version}": must be a number')
    if int(version) > store.version:
        message = f"Too large resource version: {version}, current: {store.version}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        details = {"causes": causes, "retryAfterSeconds": _SECONDS_TO_WAIT}
        raise refused(504, "Timeout", f"Timeout: {message}", details=details)
    if match == "Exact" and int(version) != store.version:
        raise expired(f"The resourceVersion for the provided list is too old: {version}")


def list_body(kind: Kind, page: Sequence[bytes], version: int, token: str, remaining: int) -> bytes:
    """A List object around objects that are encoded already."""
    metadata: dict[str, object] = {"resourceVersion": str(version)}
    if token:
        metadata |= {"continue": token, "remainingItemCount": remaining}
    head = {
        "kind": f"{kind.resource.kind}List",
        "apiVersion": kind.resource.api_version,
        "metadata": metadata,
    }
    return msgspec.json.encode(head)[:-1] + b',"items":[' + b",".join(page) + b"]}"
