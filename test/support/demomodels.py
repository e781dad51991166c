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


def model_folder(version: str = FIRST) -> Path:
    """Where that version lies."""
    return store() / MODEL / version


@functools.cache
def model(version: str = FIRST) -> Model:
    """That version, loaded."""
    return load(model_folder(version), MODEL)


@functools.cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="demo-models-")
