"""Why no connection to the API server came about, as an error of ours that a person can act on."""

import errno

import aiohttp

from aiop.runtime.client.errors import ConnectionFailed, ConnectionRefused, HostUnknown, NotTrusted


def unreached(line: str, error: BaseException) -> ConnectionFailed:
    """The error for what aiohttp or the operating system raised; ``line`` names the request."""
    # The connector hides aiohttp's own errors behind a plain one, so that none of them is tried again.
    match error.__cause__ if isinstance(error.__cause__, aiohttp.ClientConnectorError) else error:
        case aiohttp.ClientProxyConnectionError() as refused:  # what it says of a host is the proxy's
            return ConnectionFailed(f"{line}: {refused}")
        case aiohttp.ClientConnectorCertificateError() as refused:
            fault = getattr(refused.certificate_error, "verify_message", "") or str(refused.certificate_error)
            message = f"{line}: the certificate of {refused.host}:{refused.port} is not trusted: {fault}"
            return NotTrusted(message, fault)
        case aiohttp.ClientConnectorDNSError() as refused:
            return HostUnknown(f"{line}: the host {refused.host!r} is not known: {refused.strerror}")
        case aiohttp.ClientConnectorError(errno=errno.ECONNREFUSED) as refused:
            return ConnectionRefused(f"{line}: nothing listens at {refused.host}:{refused.port}")
        case _:
            return ConnectionFailed(f"{line}: {error or type(error).__name__}")
