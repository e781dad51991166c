"""Which object is meant: `TYPE/NAME` or `TYPE NAME`, the type by plural, singular, kind or short name."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiop.api.resources import KINDS
from aiop.runtime.client.resource import Resource

# A DNS subdomain: what the API server takes for a name of most kinds.
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Target:
    """One object of a known kind."""

    resource: Resource
    name: str


def target_of(words: Sequence[str], known: Sequence[Resource]) -> Target:
    """The object that one or two words mean, of one of the ``known`` kinds.

    Raises ArgumentTypeError, naming what was given and what would do.
    """
    parts = words[0].split("/") if len(words) == 1 else list(words)
    if len(parts) != len(("TYPE", "NAME")) or (len(words) > 1 and any("/" in word for word in words)):
        message = f"{' '.join(words)!r} is no object; give TYPE/NAME or TYPE NAME, like aiworkload/bert-sentiment"
        raise argparse.ArgumentTypeError(message)
    word, name = parts
    resource = next((each for each in known if word.casefold() in _words_for(each)), None)
    if resource is None:
        names = ", ".join(each.kind.lower() for each in known)
        message = f"TYPE {word!r} cannot be explained; give one of {names}, by name, plural or short name"
        raise argparse.ArgumentTypeError(message)
    if not _NAME.fullmatch(name):
        message = f"NAME {name!r} is no name of an object; give one of lower-case letters, digits, '-' and '.'"
        raise argparse.ArgumentTypeError(message)
    return Target(resource, name)


def _words_for(resource: Resource) -> frozenset[str]:
    """As kubectl takes them, with or without the group."""
    short = next((kind.short_name for kind in KINDS if kind.resource == resource), "")
    names = {resource.kind.lower(), resource.plural, short} - {""}
    full = {f"{name}.{resource.group}" for name in names} | {
        f"{name}.{resource.version}.{resource.group}" for name in names
    }
    return frozenset(names | full)
