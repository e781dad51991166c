"""What the options of several commands are made of; each refusal says what would do."""

import argparse
import math
import re

from pydantic import ValidationError

from aiop.api.container import ResourceRequirements
from aiop.controllers.serving.exposure.asked import GatewayName

_PORTS = range(65536)
# Prometheus' own grammar, and what adapters build names with (Google's join a path by |).
_METRIC = re.compile(r"[A-Za-z_][A-Za-z0-9_:.|-]{0,252}")
# A DNS label (RFC 1123), as the API server wants it of a namespace.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# A DNS subdomain, and the parts of a label (its key with an optional prefix), as the API server wants them.
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def address(text: str) -> str:
    """``host:port``, or nothing."""
    host, colon, port = text.rpartition(":")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if text and (not colon or bare or not port.isdecimal() or int(port) not in _PORTS):
        message = f"{text!r} is no address; give host:port, like 0.0.0.0:8080 or [::]:8080, or an empty text for none"
        raise argparse.ArgumentTypeError(message)
    return text


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is no count; give a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def seconds(text: str) -> float:
    """A finite number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        message = f"{text!r} is no time; give seconds, like 120"
        raise argparse.ArgumentTypeError(message)
    return value


def period(text: str) -> float:
    """Seconds from 1."""
    value = seconds(text)
    if value < 1:
        message = f"{text!r} is too often; give seconds from 1, like 30"
        raise argparse.ArgumentTypeError(message)
    return value


def metric(text: str) -> str:
    """The name of a metric, as Prometheus and what is built on it have them."""
    if not _METRIC.fullmatch(text):
        message = f"{text!r} is no metric's name; give letters, digits and _:.|- like DCGM_FI_DEV_GPU_UTIL"
        raise argparse.ArgumentTypeError(message)
    return text


def resources(text: str) -> dict[str, dict[str, str]]:
    """Kubernetes resource requirements as JSON: `{"limits": {"memory": "1Gi"}}`; empty parts are left out."""
    try:
        parsed = ResourceRequirements.model_validate_json(text, extra="forbid")
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the text"
        message = f'{where}: {fault["msg"]}; give resources like {{"limits": {{"memory": "1Gi"}}}}'
        raise argparse.ArgumentTypeError(message) from error
    return {kind: amounts for kind, amounts in parsed.model_dump(mode="json").items() if amounts}


def namespace(text: str) -> str:
    """The name of a namespace."""
    if not _NAMESPACE.fullmatch(text):
        message = f"{text!r} is no namespace's name; give one of at most 63 of a-z, 0-9 and -, like team-a"
        raise argparse.ArgumentTypeError(message)
    return text


def gateway(text: str) -> GatewayName | None:
    """``namespace/name`` of a Gateway, or nothing."""
    space, slash, name = text.partition("/")
    if text and not (slash and _NAMESPACE.fullmatch(space) and _SUBDOMAIN.fullmatch(name)):
        message = f"{text!r} is no Gateway; give namespace/name, like infra/public, or an empty text for none"
        raise argparse.ArgumentTypeError(message)
    return GatewayName(space, name) if text else None


def class_name(text: str) -> str:
    """The name of a class, or nothing."""
    if text and not _SUBDOMAIN.fullmatch(text):
        message = f"{text!r} is no class; give a name of lower-case letters, digits, '-' and '.', or an empty text"
        raise argparse.ArgumentTypeError(message)
    return text


def labels(text: str) -> dict[str, str]:
    """``key=value,key=value``; nothing is no label."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            message = f"{part!r} is no label; give key=value, several with commas between, like release=prometheus"
            raise argparse.ArgumentTypeError(message)
        found[key] = value
    return found
