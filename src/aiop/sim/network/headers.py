"""Headers on their way through a proxy: those of one hop stay behind, those that tell of the client are added. Pure."""

from multidict import CIMultiDict, MultiMapping

_OF_ONE_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
# What Connection may not name: without it a message is another one.
_OF_THE_MESSAGE = frozenset({"host", "content-length"})
# What else a client may say of where it comes from, and nobody here has found out.
_OF_FORMER_PROXIES = ("Forwarded", "X-Real-IP", "X-Forwarded-Port")


def onward(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """The headers without those of this hop, and without those that Connection names."""
    said = ",".join(headers.getall("Connection", []))
    named = {each.strip().lower() for each in said.split(",")} - _OF_THE_MESSAGE
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in _OF_ONE_HOP and name.lower() not in named
    )


def to_server(headers: MultiMapping[str], authority: str, *, remote: str, scheme: str) -> CIMultiDict[str]:
    """A client's headers for a server; ``authority`` is whom it asks, and nothing that it says of itself is believed.

    Names with an underscore are left out, as ingress-nginx leaves them: many servers take them for those with a hyphen.
    """
    sent = onward(headers)
    # The server shall not be asked for an interim answer: the body is at hand, or is on its way anyhow.
    for name in ("Expect", *_OF_FORMER_PROXIES, *(each for each in headers if "_" in each)):
        sent.popall(name, None)
    if authority:
        sent["Host"] = authority
    sent["X-Forwarded-For"] = remote
    sent["X-Forwarded-Proto"] = scheme
    sent["X-Forwarded-Host"] = authority
    return sent
