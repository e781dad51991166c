"""How the answers of all sources become reasons, so that one failure reads alike wherever it comes from."""

import ssl
from http import HTTPStatus

from aiop.fetcher.errors import (
    AccessDenied,
    Failed,
    FetchError,
    Interrupted,
    MissingCredentials,
    NotFound,
    SourceChanged,
    Unreachable,
)

# Answers that another try may turn into a good one.
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def refusal(status: int, *, what: str, keys: str, given: bool) -> FetchError:
    """What an HTTP ``status`` of ``what`` means.

    ``keys`` are the Secret's keys that could help, and ``given`` says whether credentials were sent.
    """
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return denied(what=what, keys=keys, given=given)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFound(f"{what} does not exist; check the model URI.")
    if status == HTTPStatus.PRECONDITION_FAILED:
        return SourceChanged(f"{what} has changed since it was measured.")
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Interrupted(f"{what} answers with HTTP {status}.")
    return Failed(f"{what} answers with HTTP {status}, which is not expected; check the model URI.")


def denied(*, what: str, keys: str, given: bool) -> FetchError:
    """``what`` may not be read: with the credentials that were ``given``, or since there are none."""
    if given:
        return AccessDenied(
            f"{what} may not be read with these credentials; they are wrong, expired or lack the right to read it."
        )
    return MissingCredentials(f"{what} wants credentials and there are none; give a Secret with {keys}.")


def unreachable(error: BaseException, *, what: str) -> FetchError:
    """No answer came from ``what``; a certificate that is not trusted will not be on the next try either."""
    seen: BaseException | None = error
    for _ in range(10):  # a chain of causes, which a library may have tied into a ring
        if seen is None:
            break
        text = str(seen)
        if isinstance(seen, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in text:
            return Unreachable(
                f"{what} has a certificate that is not trusted; set SSL_CERT_FILE to a bundle that has its authority."
            )
        seen = seen.__cause__ or seen.__context__
    return Interrupted(f"{what} cannot be reached ({type(error).__name__}); check the host and network policies.")
