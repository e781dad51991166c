"""Debian's packages without an installation: downloaded into the user's cache, unpacked into a folder.

No right of root is needed. The package lists are kept beside the packages, since a bare machine's own may be missing,
or too old to find a package by; apt checks each package's hash against the distribution's signed lists.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hack.cache import alone, cache_folder

_NEEDED = ("apt-get", "apt-cache", "dpkg-deb", "tar")
# Mirrors drop a package's older version when a newer one comes: lists older than this may name what is gone.
_LISTS_LAST_SECONDS = 6 * 3600
# A mirror that does not answer is given up within a minute, not within ten.
_PATIENCE = {"Acquire::http::Timeout": "10", "Acquire::https::Timeout": "10", "Acquire::Retries": "1"}
# Lists and packages together; apt waits for ever where they find no room.
_ROOM = 150 << 20
_SECONDS = 600.0
# What the distribution's own installer makes first; without them /lib and /usr/lib would be two folders.
_MERGED = ("bin", "sbin", "lib", "lib64")


class DebianMissing(RuntimeError):
    """Raised when a package cannot be had: not a Debian-like machine, no network, no such package."""


def download(packages: Sequence[str], cache: Path | None = None) -> list[Path]:
    """The packages' files, in the same order, without what they depend on; raises DebianMissing.

    ``cache`` is kept between calls (default: the user's), and may be used by several processes.
    """
    base = cache or cache_folder() / "debian"
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if missing:
        raise DebianMissing(f"no {' and '.join(missing)} on the PATH to fetch {', '.join(packages)} with")
    with alone(base):
        return _downloaded(packages, base)


def unpack(packages: Sequence[Path], root: Path) -> None:
    """The packages' files into ``root``, which becomes a tree in which /lib is /usr/lib; no script is run."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as reader:
            _said("tar", "--extract", "--no-same-owner", "--keep-directory-symlink", folder=root, source=reader)
        if reader.returncode:
            raise DebianMissing(f"{package} is no whole package: delete it and try again")


def version(package: Path) -> str:
    """The version of a package's file, as Debian counts: `1:1.35.0-4+b4`."""
    return _said("dpkg-deb", "--field", str(package), "Version").strip()


def _downloaded(packages: Sequence[str], base: Path) -> list[Path]:
    for folder in ("lists/partial", "archives/partial", "packages"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State::Lists": str(base / "lists"),
        "Dir::Cache": str(base),
        # What apt would become in order to download may not write here.
        "APT::Sandbox::User": "root",
        **_PATIENCE,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    failed = _update(base / "lists" / "updated", options)
    try:
        return _fetched(packages, base, options)
    except DebianMissing as error:
        raise DebianMissing(
            f"{error}; the package lists could not be fetched: {failed}" if failed else error
        ) from error


def _update(stamp: Path, options: Sequence[str]) -> str:
    """Fetch the lists if they are old; returns what apt says if it cannot: older ones may do."""
    if stamp.exists() and time.time() - stamp.stat().st_mtime < _LISTS_LAST_SECONDS:
        return ""
    _insist_on_room(stamp.parent)
    try:
        # Without the mode apt calls it a success when no list was fetched at all.
        _said("apt-get", "-qq", *options, "-o", "APT::Update::Error-Mode=any", "update")
    except DebianMissing as error:
        return str(error)
    stamp.touch()
    return ""


def _fetched(packages: Sequence[str], base: Path, options: Sequence[str]) -> list[Path]:
    files = [base / "packages" / name for name in _file_names(packages, options)]
    absent = [name for name, file in zip(packages, files, strict=True) if not file.exists()]
    if absent:
        _insist_on_room(base)
        with tempfile.TemporaryDirectory(dir=base) as work:
            _said("apt-get", "-qq", *options, "download", *absent, folder=Path(work))
            for file in Path(work).iterdir():
                file.rename(base / "packages" / file.name)  # whole, or not there at all
    return files


def _insist_on_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise DebianMissing(f"{free >> 20} MiB are free in {folder}, and Debian's packages need {_ROOM >> 20}")


def _file_names(packages: Sequence[str], options: Sequence[str]) -> list[str]:
    """What apt calls the file of each package's newest version."""
    shown = _said("apt-cache", *options, "show", "--no-all-versions", *packages)
    names = {}
    for record in shown.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in record.splitlines() if ": " in line and line[0] != " ")
        version = fields["Version"].replace(":", "%3a")
        names[fields["Package"]] = f"{fields['Package']}_{version}_{fields['Architecture']}.deb"
    missing = sorted(set(packages) - set(names))
    if missing:
        raise DebianMissing(f"the distribution has no package {', '.join(missing)}")
    return [names[package] for package in packages]


def _said(*command: str, folder: Path | None = None, source: subprocess.Popen[bytes] | None = None) -> str:
    stdin = source.stdout if source else None
    words = " ".join(word for word in command if "=" not in word and not word.startswith("-"))
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, stdin=stdin, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise DebianMissing(f"{words} did not end within {_SECONDS:.0f} s") from error
    if done.returncode:
        raise DebianMissing(f"{words} failed with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout
