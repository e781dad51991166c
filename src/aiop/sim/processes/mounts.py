"""Where the files of a container are on this machine, and how it learns of it.

Without root there is no file system of a container's own, so what a container knows as ``/mnt/models`` is a folder
somewhere else. Wherever one of its paths stands in a variable, the command or an argument, the local path takes its
place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Mounts:
    """Local paths by the path that the container knows."""

    places: Mapping[str, Path] = field(default_factory=dict)

    def local(self, path: str) -> Path | None:
        """The local path of one that lies in a mount, the innermost mount first; None if it lies in none."""
        wanted = PurePosixPath(path)
        known = self.mount_of(wanted)
        return None if known is None else self.places[known] / wanted.relative_to(known)

    def mount_of(self, path: PurePosixPath) -> str | None:
        """The innermost mounted path in which it lies, perhaps the path itself."""
        return next((str(each) for each in [path, *path.parents] if str(each) in self.places), None)

    def rewritten(self, text: str) -> str:
        """``text`` with every mounted path in it replaced by the local one.

        It may stand alone (``/mnt/models``), in a list (``/a:/b``), after an equals sign or in a file URL;
        ``/mnt/models2`` and ``/x/mnt/models`` are other paths and stay.
        """
        if not self.places:
            return text
        longest_first = sorted(self.places, key=len, reverse=True)
        known = "|".join(re.escape(each) for each in longest_first)
        return re.sub(
            rf"(?:(?<![\w.\-/])|(?<=://))(?:{known})(?![\w.\-])", lambda found: str(self.places[found[0]]), text
        )
