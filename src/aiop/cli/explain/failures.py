"""What the client's errors mean for whoever asked: each names what it speaks of and what would help."""

from aiop.cli.explain.errors import ExplainError, NoAccess, NoSuchObject, Unreachable
from aiop.cli.explain.session import Session
from aiop.cli.explain.target import Target
from aiop.runtime.client.errors import (
    ClientError,
    ConfigurationFailed,
    ConnectionRefused,
    Forbidden,
    HostUnknown,
    NotFound,
    NotTrusted,
    Unauthorized,
)

_OPTIONS = "see --kubeconfig and --context"


def told(error: ClientError, target: Target, namespace: str, session: Session, host: str) -> ExplainError:
    """The error that ends the command; ``host`` is the API server's URL, empty while it is not known."""
    kind, plural = target.resource.kind, target.resource.plural
    server = f"{host}, the API server of {session.whose},"
    match error:
        case NotFound():
            return NoSuchObject(
                f"there is no {kind} {target.name!r} in the namespace {namespace!r}: see `kubectl get {plural} -A`, or "
                "give its namespace by -n; if that kind is not known either, aiop is not installed in this cluster"
            )
        case Forbidden():
            return NoAccess(
                f"you may not read the {kind} {target.name!r} in the namespace {namespace!r}: ask for the role view "
                f"there (get {plural}), or use another --context"
            )
        case Unauthorized():
            return NoAccess(
                f"{server} does not take the credentials of {session.who} (401): they have expired or are another "
                "cluster's; log in anew, or use another --context or --kubeconfig"
            )
        case _:
            return Unreachable(f"{_unreached(error, server, host)}, or {_OPTIONS}")


def _unreached(error: ClientError, server: str, host: str) -> str:
    match error:
        case ConfigurationFailed():
            return f"{error}; mend that"
        case ConnectionRefused():
            return f"nothing listens at {server[:-1]}: start it"
        case HostUnknown():
            return f"the host of {server} is not known: connect to its network"
        case NotTrusted():
            return (
                f"the certificate of {server} is not trusted: {error.fault}; set certificate-authority of its cluster "
                "in the kubeconfig to the authority that signed it"
            )
        case _:
            return f"{server if host else 'the API server'} gives no answer: {error}; ask again"
