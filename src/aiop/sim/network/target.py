"""What a request asks for: whose host, which path. Pure, and as strict as nginx where spellings could mislead."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from aiop.sim.network.errors import NotForwarded

# A name or address as DNS, IPv4 and IPv6 have them, and a port; underscores stand in many internal names.
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_ABSOLUTE = re.compile(r"https?://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


@dataclass(frozen=True, slots=True)
class Target:
    """``authority`` is the host as the pod is told it, ``host`` without its port; both empty where HTTP/1.0 names none.

    ``path`` is decoded and without dot segments, as rules are asked for it; ``raw_path`` and ``query`` are as written.
    """

    authority: str
    host: str
    path: str
    raw_path: str
    query: str

    def led_to(self, rewrite: str) -> str:
        """The encoded path and query for the pod; ``rewrite``, unless it is empty, takes the place of the path."""
        path = rewrite or self.raw_path
        return f"{path}?{self.query}" if self.query else path


def target_of(asked: str, host: str | None) -> Target:
    """The target of a request line, and the header Host, or None without one. Raises NotForwarded with 400.

    An absolute target's host counts, whatever Host says (RFC 9112, 3.2.2).
    """
    authority, rest = host, asked
    if not asked.startswith("/") and (absolute := _ABSOLUTE.fullmatch(asked)) is not None:
        authority, rest = absolute["authority"], absolute["rest"]
        rest = rest if rest.startswith("/") else f"/{rest}"
    if not rest.startswith("/"):
        raise NotForwarded(400, "the request names no path")
    named = _AUTHORITY.fullmatch(authority) if authority is not None else None
    if named is None and authority is not None:
        raise NotForwarded(400, f"the request's host {authority!r} is none")
    raw_path, _, query = rest.partition("#")[0].partition("?")
    return Target(authority or "", named["host"] if named else "", _decoded(raw_path), raw_path, query)


def _decoded(raw_path: str) -> str:
    """Without doubled slashes and dot segments, so that no spelling leads past a rule."""
    if _BAD_ESCAPE.search(raw_path):
        raise NotForwarded(400, "the request's path has a percent sign that stands for no character")
    path = unquote(raw_path)
    if _climbs_out(path):
        raise NotForwarded(400, "the request's path leads above the root")
    normal = posixpath.normpath("/" + path.lstrip("/"))
    return f"{normal}/" if path.endswith("/") and normal != "/" else normal


def _climbs_out(path: str) -> bool:
    depth = 0
    for segment in path.split("/"):
        depth += -1 if segment == ".." else segment not in {"", "."}
        if depth < 0:
            return True
    return False
