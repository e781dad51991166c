"""The cache of images: each layer and each archive under its key, made once, dropped when a day unused."""

import fcntl
import hashlib
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack import debian
from hack.images.archive import write_archive
from hack.images.errors import ImageNotMade, UnknownImage
from hack.images.layer import write_layer
from hack.images.recipes import RECIPES, Layer, Recipe

_HERE = Path(__file__).parent
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Archives of sources that have since been edited; a test run that still needs one has just touched it.
_UNUSED_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Image:
    """``reference`` is its full name, whose tag is the key of its content; ``archive`` an OCI archive with it alone."""

    reference: str
    archive: Path


def ensure_image(name: str, cache: Path | None = None) -> Image:
    """The image of that name (see `recipes`), making it if it is not there.

    Raises UnknownImage and ImageNotMade. Several processes may ask for it at once; one makes it.
    """
    if name not in RECIPES:
        raise UnknownImage(f"no image {name!r}: there are {', '.join(sorted(RECIPES))}")
    recipe = RECIPES[name]()
    base = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aiop" / "images"
    key = image_key(recipe)
    archive = base / name / f"{key}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    reference = f"docker.io/local/{name}:{key}"
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            try:
                _make(recipe, base, archive, reference)
            except debian.DebianMissing as error:
                raise ImageNotMade(f"the image {name}: {error}") from error
        archive.touch()
        _drop_unused(base)
    return Image(reference, archive)


def image_key(recipe: Recipe) -> str:
    """Twelve hexadecimal digits that change whenever the image would."""
    return _short([*layer_keys(recipe.layers), repr(recipe.config)])


def layer_keys(layers: Sequence[Layer]) -> list[str]:
    """Each layer's key: its inputs, the layer that it is made upon, this tool, the machine's architecture."""
    below: list[str] = []
    for layer in layers:
        below.append(_short([_tool_version(), platform.machine(), layer.name, *layer.inputs, *below[:1]]))
    return below


def _tool_version() -> str:
    sources = [*sorted(_HERE.glob("*.py")), Path(debian.__file__)]
    return _short([source.read_text(encoding="utf-8") for source in sources])


def _short(parts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:12]


def _make(recipe: Recipe, base: Path, archive: Path, reference: str) -> None:
    layers: list[Path] = []
    for layer, key in zip(recipe.layers, layer_keys(recipe.layers), strict=True):
        layers.append(_ensure_layer(layer, base / "layers" / f"{layer.name}-{key}.tar", layers[:1]))
    machine = platform.machine()
    with _whole(archive) as unfinished:
        write_archive(unfinished, reference, _ARCHITECTURES.get(machine, machine), layers, recipe.config)


def _ensure_layer(layer: Layer, target: Path, below: Sequence[Path]) -> Path:
    if target.exists():
        target.touch()
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        tree, base = Path(name) / "tree", Path(name) / "base"
        tree.mkdir()
        base.mkdir()
        for lower in below:
            subprocess.run(["tar", "--extract", "--file", str(lower)], cwd=base, check=True)
        layer.make(tree, base)
        with _whole(target) as unfinished:
            write_layer(tree, unfinished)
    return target


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A path to write to: what was written takes the target's name once it is whole."""
    unfinished = target.with_suffix(".part")
    yield unfinished
    unfinished.rename(target)


def _drop_unused(base: Path) -> None:
    for file in base.glob("*/*.tar"):
        if time.time() - file.stat().st_mtime > _UNUSED_SECONDS:
            file.unlink()
