"""Which local program stands for an image."""

import hashlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

_DEFAULT_PREFIX = "docker.io/library/"


@dataclass(frozen=True, slots=True)
class Program:
    """A local program in the place of an image.

    ``entrypoint`` and ``arguments`` are what ENTRYPOINT and CMD are in an image, with the same rules: a container's
    ``command`` takes the place of both, its ``args`` that of ``arguments``. ``launcher`` comes before whatever that
    gives, so that a program of ours can play one that a container names in its ``command``. ``environment`` is the
    image's ENV, ``directory`` its WORKDIR (None: an empty folder of the container's own), ``stop_signal`` its
    STOPSIGNAL. Each text may use ``$(NAME)`` of the container's variables.
    """

    entrypoint: Sequence[str] = ()
    arguments: Sequence[str] = ()
    launcher: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    stop_signal: int = signal.SIGTERM

    def joined(self, command: Sequence[str], args: Sequence[str]) -> tuple[list[str], list[str]]:
        """The command line of a container with those: first the words of this program, then the container's own."""
        if command:
            return [*self.launcher], [*command, *args]
        own = [*self.launcher, *self.entrypoint]
        return (own, [*args]) if args else ([*own, *self.arguments], [])

    @property
    def image_id(self) -> str:
        """What the program has in place of an image's digest."""
        words = repr((list(self.launcher), list(self.entrypoint), list(self.arguments)))
        return f"sha256:{hashlib.sha256(words.encode()).hexdigest()}"


class ProgramTable:
    """Programs by image. It may be changed while the cluster runs: the next pull finds what it then holds.

    ``programs`` maps patterns (``*``, ``?`` and ``[…]`` as in file names) to programs; the first that matches the image
    as the pod names it, with or without ``docker.io/library/``, is taken. ``claims`` maps a PersistentVolumeClaim
    (``name``, or ``namespace/name`` which goes first) to a local directory; any other gets a folder of the cluster's
    own. ``host_paths`` maps a hostPath to a local directory; one that is not in it does not mount.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        *,
        claims: Mapping[str, Path] | None = None,
        host_paths: Mapping[str, Path] | None = None,
    ) -> None:
        self.programs = dict(programs)
        self.claims = dict(claims or {})
        self.host_paths = dict(host_paths or {})

    def program_of(self, image: str) -> Program | None:
        """The program that stands for the image, if there is one."""
        names = {image, image.removeprefix(_DEFAULT_PREFIX)}
        for pattern, program in self.programs.items():
            if any(fnmatchcase(name, pattern) for name in names):
                return program
        return None

    def claim(self, namespace: str, name: str) -> Path | None:
        """The local directory of that claim, if the table names one."""
        return self.claims.get(f"{namespace}/{name}") or self.claims.get(name)
