"""What names a kind and an object in the Kubernetes API."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from aiop.runtime.client.errors import InvalidName

# What URLs resolve as a step in place or up, however it is quoted: the request would reach something else.
_STEPS = frozenset({".", ".."})


class ObjectKey(NamedTuple):
    """The name of an object of a known kind; ``namespace`` is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API: ``Resource("apps", "v1", "Deployment", "deployments")``."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object or a subresource; every segment is quoted.

        Raises InvalidName for a segment that no URL can carry.
        """
        parts = [("", "apis"), ("group", self.group)] if self.group else [("", "api")]
        parts.append(("version", self.version))
        if namespace and self.namespaced:
            parts += [("", "namespaces"), ("namespace", namespace)]
        parts.append(("resource", self.plural))
        parts += [part for part in (("name", name), ("subresource", subresource)) if part[1]]
        return "/" + "/".join(_segment(field, value) for field, value in parts)

    def object_path(self, key: ObjectKey, subresource: str = "") -> str:
        """The URL path of one object, never of its collection; raises InvalidName, also for an empty name."""
        if not key.name:
            raise InvalidName("name", key.name, f"name the one of the {self.plural} that is meant")
        return self.path(key.namespace, key.name, subresource)


def _segment(field: str, value: str) -> str:
    if value in _STEPS:
        raise InvalidName(field, value, "use a name that is not made of dots alone")
    return quote(value, safe="")
