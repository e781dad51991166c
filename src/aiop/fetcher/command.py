"""`measure` and `fetch`: the order of the steps, and the one sentence at the end."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiop.fetcher.archives import Room
from aiop.fetcher.download import Download
from aiop.fetcher.errors import Failed, NoSpace, SourceChanged, TooLarge
from aiop.fetcher.files import free_bytes
from aiop.fetcher.folder import ModelFolder
from aiop.fetcher.listing import Listing, listing_of
from aiop.fetcher.patience import persist
from aiop.fetcher.progress import Progress, files_in_words, size_in_words
from aiop.fetcher.settings import Settings
from aiop.fetcher.source import Source, source_of
from aiop.fetcher.termination import Outcome
from aiop.fetcher.uri import ModelUri, parse_uri

# A source that is written while it is read settles soon or never.
_MOST_MEASURES = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program: what is asked for, and what it may use. ``say`` takes a line for people."""

    uri: str
    folder: Path
    environment: Mapping[str, str]
    settings: Settings
    say: Callable[[str], None]
    open_source: Callable[[ModelUri, Mapping[str, str]], Source] = source_of
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def measure(run: Run) -> Outcome:
    """Find out what the model is made of, whether there is room, and pin it; raises FetchError."""
    started = run.clock()
    uri = parse_uri(run.uri)
    folder = ModelFolder(run.folder)
    whole = folder.holds(run.uri)
    if whole is not None:
        return _outcome("Measured", f"The model is here already: {_counted(*whole)}.", whole, run, started)
    pinned = folder.pinned(run.uri) if folder.publishing(run.uri) else None
    listing = pinned or _measured(run, folder, run.open_source(uri, run.environment))
    if pinned is None:
        _check_room(listing, run.settings, folder)
    free = size_in_words(free_bytes(folder.path))
    unknown = any(file.size is None for file in listing.files)
    size = "an unknown size" if unknown else size_in_words(listing.bytes)
    message = f"The model has {files_in_words(len(listing.files))} with {size}; {free} are free."
    return _outcome("Measured", message, (len(listing.files), listing.bytes), run, started)


def fetch(run: Run) -> Outcome:
    """Bring the model into the folder; raises FetchError."""
    started = run.clock()
    uri = parse_uri(run.uri)
    folder = ModelFolder(run.folder)
    whole = folder.holds(run.uri)
    if whole is not None:
        folder.clean()
        return _outcome("Fetched", f"The model is here already: {_counted(*whole)}.", whole, run, started)
    pinned = folder.pinned(run.uri) if folder.publishing(run.uri) else None
    listing = pinned or _downloaded(run, folder, run.open_source(uri, run.environment))
    found = folder.publish(listing, Room(_limit(run.settings, folder), run.settings.max_files))
    seconds = run.clock() - started
    return _outcome("Fetched", f"Fetched {_counted(*found)} in {seconds:.0f} s.", found, run, started)


def _measured(run: Run, folder: ModelFolder, source: Source) -> Listing:
    """The listing of ``source``, pinned."""

    def listed() -> Listing:
        return listing_of(run.uri, source.files(), run.settings.max_files)

    listing = persist(listed, run.settings.attempts, run.sleep)
    folder.pin(listing)
    return listing


def _downloaded(run: Run, folder: ModelFolder, source: Source) -> Listing:
    for _ in range(_MOST_MEASURES):
        listing = folder.pinned(run.uri) or _measured(run, folder, source)
        _check_room(listing, run.settings, folder)
        progress = Progress(len(listing.files), listing.bytes)
        limit = _limit(run.settings, folder)
        try:
            Download(source, listing, folder.work, run.settings, limit, progress).run(run.say)
        except SourceChanged as error:
            run.say(f"{error} Measuring again.")
            folder.clean()
        else:
            return listing
    raise Failed("The model keeps changing at the source while it is fetched; try again when it is complete.")


def _limit(settings: Settings, folder: ModelFolder) -> int:
    """How many more bytes may come."""
    free = free_bytes(folder.path)
    return free if settings.max_bytes is None else min(free, settings.max_bytes)


def _check_room(listing: Listing, settings: Settings, folder: ModelFolder) -> None:
    if settings.max_bytes is not None and listing.bytes > settings.max_bytes:
        raise TooLarge(
            f"The model has {size_in_words(listing.bytes)}; AIOP_MAX_BYTES allows {size_in_words(settings.max_bytes)}."
        )
    # An archive and what was in it lie side by side for a while.
    needed = listing.bytes + sum(file.size or 0 for file in listing.files if file.unpack)
    free = free_bytes(folder.path) + _present(folder.work)
    if needed > free:
        raise NoSpace(
            f"The model needs {size_in_words(needed)} and the volume has {size_in_words(free)} free; make it larger."
        )


def _present(work: Path) -> int:
    """What lies on disk of an earlier try, in bytes that are really taken."""
    return sum(
        (Path(folder) / name).lstat().st_blocks * 512
        for part in ("files", "unfinished")
        for folder, _, names in os.walk(work / part)
        for name in names
    )


def _counted(files: int, size: int) -> str:
    return f"{files_in_words(files)} with {size_in_words(size)}"


def _outcome(reason: str, message: str, found: tuple[int, int], run: Run, started: float) -> Outcome:
    return Outcome(reason, message, *found, seconds=run.clock() - started)
