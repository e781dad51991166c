"""Nothing secret leaves: every text that is printed or reported passes through a `Redactor`.

It knows the values of secret variables, the parts of those that are JSON, connection strings or Docker configurations,
and the forms in which libraries repeat them (base64, percent-encoding). URLs lose their user names and queries, which
hold the signatures of presigned ones.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

_SHOWN = "[redacted]"
# Words in the names of variables that hold secrets; the operator hands over whole Secrets, of which we know no more.
_SECRET_NAME = re.compile(
    r"key|secret|token|password|passwd|authorization|credential|connection_string|sas|dockerconfig",
    re.IGNORECASE,
)
# Variables whose names say secret and whose values are paths or names that messages need.
_PLAIN_NAME = re.compile(r"(_FILE|_PATH|_URI|_CREDENTIALS)$", re.IGNORECASE)
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,30}://)(?P<user>[^/\s'\"<>@]*@)?(?P<rest>[^\s'\"<>?]*)(?P<query>\?[^\s'\"<>]*)?"
)
_USER = re.compile(r"[a-z]+://([^/\s@]+)@")
_SECRET_LEAF = re.compile(r"private_key$|secret|token$|password|^auth$", re.IGNORECASE)
# A shorter value as a part of other words would blank them all; such a one is blanked only where it stands alone.
_SHORT = 6
# What is shorter still, "1" or "yes", protects nothing and would blank every message.
_SHORTEST = 4
# No message is longer; what lies behind is cut off before it is looked at.
_LONGEST_TEXT = 65_536
_PAIRS = (
    ("OCI_USERNAME", "OCI_PASSWORD"),
    ("HTTPS_USERNAME", "HTTPS_PASSWORD"),
    ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
)


class Redactor:
    """``redact(text)`` gives the text without secrets; it is a plain value and may be shared by threads."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        alternatives = [
            re.escape(form) if len(form) >= _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)" for form in ordered
        ]
        self._pattern = re.compile("|".join(alternatives)) if alternatives else None

    def __repr__(self) -> str:
        return "Redactor()"

    def redact(self, text: str) -> str:
        """``text`` without known secrets, and its URLs without user names and queries."""
        short = text[:_LONGEST_TEXT]
        known = self._pattern.sub(_SHOWN, short) if self._pattern else short
        return _URL.sub(_bare, known)


def redactor_of(environment: Mapping[str, str]) -> Redactor:
    """What knows the secrets of ``environment``."""
    return Redactor(secrets_of(environment))


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """The values that must not be shown, with their parts; those of variables that name no secret are left out."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and not _PLAIN_NAME.search(name):
            yield from _parts(value.strip())
        user = _USER.match(value)
        if user:
            yield from (user.group(1), *user.group(1).split(":"))
    for user_name, password in _PAIRS:
        if environment.get(user_name) and environment.get(password):
            yield f"{environment[user_name].strip()}:{environment[password].strip()}"


def redacting_writer(write: Callable[[str], Any], redactor: Redactor) -> Callable[[str], None]:
    """``write`` behind ``redactor``; ends what it writes with a line break."""

    def say(text: str) -> None:
        write(redactor.redact(text).replace("\n", " ") + "\n")

    return say


def _parts(value: str) -> Iterator[str]:
    if not value:
        return
    yield value
    yield from (line for line in value.splitlines() if line)
    yield from value.split(" ", 1)[1:]  # the token after "Bearer" or "Basic"
    yield from re.findall(r"(?:AccountKey|SharedAccessSignature)=([^;]+)", value)
    yield from re.findall(r"sig=([^&;\s]+)", value)
    if value.startswith("{"):
        try:
            yield from _strings(json.loads(value))
        except (ValueError, RecursionError):
            return


def _strings(data: Any, name: str = "") -> Iterator[str]:
    """The secret leaves of a JSON document: keys, passwords, and Docker's base64 pairs."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _strings(value, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value, name)
    elif isinstance(data, str) and _SECRET_LEAF.search(name):
        yield data
        yield from (line for line in data.splitlines() if line)
        if name == "auth":
            yield from _pair(data)


def _pair(encoded: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield pair
    yield from pair.split(":", 1)[1:]


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
    yield base64.urlsafe_b64encode(secret.encode()).decode()


def _bare(match: re.Match[str]) -> str:
    query = f"?{_SHOWN}" if match["query"] else ""
    return f"{match['scheme']}{match['rest']}{query}"
