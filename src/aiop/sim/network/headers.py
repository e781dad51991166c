"""Headers on their way through a proxy: those of one hop stay behind, those that tell of the client are added. Pure."""

from collections.abc import Mapping

from multidict import CIMultiDict

_OF_ONE_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip


def onward(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers without those of this hop, and without those that Connection names."""
    named = {each.strip().lower() for each in headers.get("Connection", "").split(",")}
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in _OF_ONE_HOP and name.lower() not in named
    )


def to_server(headers: Mapping[str, str], *, remote: str, scheme: str) -> CIMultiDict[str]:
    """A client's headers for a server; Host stays as the client wrote it, and nothing it says of itself is believed."""
    sent = onward(headers)
    # The server shall not be asked for an interim answer: the body is at hand, or is on its way anyhow.
    sent.popall("Expect", None)
    sent["X-Forwarded-For"] = remote
    sent["X-Forwarded-Proto"] = scheme
    sent["X-Forwarded-Host"] = headers.get("Host", "")
    return sent
