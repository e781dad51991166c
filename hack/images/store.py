"""The cache of images: each layer and each archive under its key, made once.

It does not grow with every edit of a source: of each name the two newest stay, and others while a run may need them.
"""

import hashlib
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack import debian
from hack.cache import alone, cache_folder
from hack.images.archive import write_archive
from hack.images.errors import ImageNotMade, UnknownImage
from hack.images.layer import write_layer
from hack.images.recipes import RECIPES, Layer, Recipe

_HERE = Path(__file__).parent
# Our own sources on which the bytes of an image depend.
_DECIDING = ("archive.py", "layer.py", "python.py", "recipes.py")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Of each name: what is current, and what it is compared with by whoever goes back and forth.
_KEPT = 2
# A run that still needs an older one has just touched it; what it loaded lies in its cluster.
_NEEDED_SECONDS = 3600
# Whoever has asked for none of that name for so long asks for none any more.
_FORGOTTEN_SECONDS = 30 * 24 * 3600


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
    base = cache or cache_folder() / "images"
    key = image_key(recipe)
    archive = base / name / f"{key}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    reference = f"docker.io/local/{name}:{key}"
    with alone(base):
        _sweep(base)
        if not archive.exists():
            try:
                _make(recipe, base, archive, reference)
            except debian.DebianMissing as error:
                raise ImageNotMade(f"the image {name}: {error}") from error
        archive.touch()
    return Image(reference, archive)


def image_key(recipe: Recipe) -> str:
    """Twelve hexadecimal digits that change with what we put into the image.

    Debian's packages go in by name: one that is published later comes with the next change, not before.
    """
    return _short([*layer_keys(recipe.layers), repr(recipe.config)])


def layer_keys(layers: Sequence[Layer]) -> list[str]:
    """Each layer's key: its inputs, the layer that it is made upon, this tool, the machine's architecture."""
    below: list[str] = []
    for layer in layers:
        below.append(_short([_tool_version(), platform.machine(), layer.name, *layer.inputs, *below[:1]]))
    return below


def _tool_version() -> str:
    sources = [*(_HERE / name for name in _DECIDING), Path(debian.__file__)]
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


def _sweep(base: Path) -> None:
    """Delete what nobody needs; only the holder of the lock writes, so that what is unfinished now stays so."""
    for folder in (base / "layers").glob("tmp*"):
        shutil.rmtree(folder)
    for file in base.glob("*/*.part"):
        file.unlink()
    for files in _by_name(base).values():
        for age, file in enumerate(sorted(files, key=_seconds_unused)):
            if _seconds_unused(file) > (_FORGOTTEN_SECONDS if age < _KEPT else _NEEDED_SECONDS):
                file.unlink()


def _by_name(base: Path) -> Mapping[tuple[str, str], list[Path]]:
    """The archives of each image and the files of each layer, whatever their keys."""
    found: dict[tuple[str, str], list[Path]] = {}
    for file in base.glob("*/*.tar"):
        found.setdefault((file.parent.name, file.stem.rpartition("-")[0]), []).append(file)
    return found


def _seconds_unused(file: Path) -> float:
    return time.time() - file.stat().st_mtime
