"""What ``kubectl cp`` asks for when it copies out: an archive whose members are named as the container names them."""

import contextlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from aiop.sim.processes.mounts import Mounts

# kubectl's words; the path follows.
_ARCHIVES = ("tar", "cf", "-")


def archive_of(command: Sequence[str], mounts: Mounts, folder: Path) -> list[str] | None:
    """The command that archives a path in a mount under the name that it was asked by; None for any other command.

    It blocks: below ``folder`` the mount gets a link of its name. A mount that is a file is not served so.
    """
    if len(command) != len(_ARCHIVES) + 1 or tuple(command[:-1]) != _ARCHIVES:
        return None
    wanted = PurePosixPath(command[-1])
    known = mounts.mount_of(wanted) or ""
    if not known.strip("/") or ".." in wanted.parts or not mounts.places[known].is_dir():
        return None
    names = folder / quote(known, safe="")
    link = names / known.lstrip("/")
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(mounts.places[known])
    inside = str(wanted).lstrip("/")
    return [*_ARCHIVES, "-C", str(names), f"{inside}/." if str(wanted) == known else inside]
