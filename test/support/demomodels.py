"""The demo's models, made once a test run."""

import functools
import tempfile
from pathlib import Path

from aiop.cli.demo.model.store import FIRST, MODEL, make_store
from aiop.cli.demo.modelserver.model import Model, load


@functools.cache
def store() -> Path:
    """The demo's model store; it lies there until the process ends."""
    folder = Path(_kept().name)
    make_store(folder)
    return folder


def repository(folder: Path, version: str = FIRST) -> Path:
    """A repository in ``folder`` that holds that version, as the pod of a claim has it mounted."""
    (folder / MODEL).symlink_to(store() / MODEL / version)
    return folder


@functools.cache
def model(version: str = FIRST) -> Model:
    """That version, loaded."""
    with tempfile.TemporaryDirectory() as folder:
        return load(repository(Path(folder), version))


@functools.cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="demo-models-")
