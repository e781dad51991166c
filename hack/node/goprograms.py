"""Programs of the node that are built of published Go modules, once, into the user's cache.

Each has a folder here with its main.go, and the go.mod and go.sum that pin what it is made of.
"""

import hashlib
from pathlib import Path

from hack.cache import cache_folder
from hack.golang import ensure_program

HERE = Path(__file__).parent
_SOURCES = ("main.go", "go.mod", "go.sum")


def ensure_go_program(name: str) -> Path:
    """The path of the program in the folder ``name``, building it if it is not there; raises BuildFailed."""
    sources = {source: HERE / name / source for source in _SOURCES}
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources.values())).hexdigest()[:12]
    return ensure_program(cache_folder() / "node" / name / digest / name, sources, name)
