"""What our Dockerfiles say, for images that are made without Docker: they are read, so that the two cannot drift apart.

Only the few instructions that our two Dockerfiles use are known; any other is refused, never passed over.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.images.archive import ContainerConfig
from hack.images.errors import ImageNotMade

_INSTALL = re.compile(
    r"python -m venv (?P<folder>\S+).*pip install .*--require-hashes .*-r requirements/(?P<name>\w+)\.txt"
)
_COMPILE = re.compile(r"\S+/bin/python -m compileall -q \S+")


@dataclass(frozen=True, slots=True)
class Built:
    """A virtual environment's folder, its hashed requirements, what of our source lies where, and how it starts."""

    environment: str
    requirements: str
    sources: Sequence[tuple[str, str]]
    config: ContainerConfig


def read_dockerfile(path: Path) -> Built:
    """Raises ImageNotMade at an instruction that is not known here."""
    build, final = _stages(path)
    environment = requirements = ""
    sources: list[tuple[str, str]] = []
    for name, rest in build:
        if name == "RUN" and (install := _INSTALL.search(rest)):
            environment, requirements = install["folder"], install["name"]
        elif name == "COPY" and not rest.startswith("requirements/"):
            source, target = rest.split()
            sources.append((source, target))
        elif name not in ("COPY", "WORKDIR") and not (name == "RUN" and _COMPILE.fullmatch(rest)):
            raise ImageNotMade(f"{path.name}: {name} {rest}: this instruction cannot be carried out without Docker")
    if ("COPY", f"--from=build {environment} {environment}") not in final:
        raise ImageNotMade(f"{path.name}: the last stage does not copy {environment or 'an environment'}")
    return Built(environment, requirements, tuple(sources), _config(path, final))


def _config(path: Path, final: Sequence[tuple[str, str]]) -> ContainerConfig:
    said = {name: rest for name, rest in final if name != "COPY"}
    unknown = sorted(set(said) - {"USER", "WORKDIR", "ENV", "ENTRYPOINT", "CMD"})
    if unknown:
        raise ImageNotMade(f"{path.name}: {', '.join(unknown)} cannot be carried out without Docker")
    return ContainerConfig(
        entrypoint=json.loads(said.get("ENTRYPOINT", "[]")),
        command=json.loads(said.get("CMD", "[]")),
        user=said.get("USER", ""),
        working_directory=said.get("WORKDIR", "/"),
        environment=dict(word.split("=", 1) for word in shlex.split(said.get("ENV", ""))),
    )


def _stages(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The instructions of the two stages, each as its name and the rest of its line."""
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    instructions = [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]
    starts = [number for number, (name, _) in enumerate(instructions) if name == "FROM"]
    if len(starts) != 2:  # noqa: PLR2004 - one that builds and one that is kept
        raise ImageNotMade(f"{path.name}: {len(starts)} stages, and two are known here: one builds, one is kept")
    return instructions[starts[0] + 1 : starts[1]], instructions[starts[1] + 1 :]
