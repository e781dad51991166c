"""What is in each image: its layers, from the one that changes least, and how a container of it starts."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hack import debian
from hack.images import python
from hack.images.archive import ContainerConfig
from hack.images.dockerfile import Built, read_dockerfile

ROOT = Path(__file__).parents[2]
_REQUIREMENTS = ROOT / "requirements"
_USER = "65532:65532"
_USERS = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
_GROUPS = "root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True, slots=True)
class Layer:
    """``make`` fills its first folder; the second holds the lowest layer's tree. ``inputs`` are all that goes in."""

    name: str
    inputs: Sequence[str]
    make: Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Layers from the bottom up; the first one is what the others are made upon."""

    layers: Sequence[Layer]
    config: ContainerConfig


def _busybox() -> Recipe:
    """One static program under all its names; it only sleeps, so that it serves as a sandbox, which has no PATH."""

    def make(tree: Path, _: Path) -> None:
        debian.unpack(debian.download(["busybox-static"]), tree)
        _furnish(tree)
        program = tree / "usr" / "bin" / "busybox"
        names = subprocess.run([str(program), "--list"], check=True, capture_output=True, text=True).stdout.split()
        for name in sorted(set(names) - {"busybox"}):
            (tree / "usr" / "bin" / name).symlink_to("busybox")

    layer = Layer("busybox", ["busybox-static"], make)
    return Recipe([layer], ContainerConfig(command=["/usr/bin/sleep", "infinity"], user=_USER))


def _python() -> Recipe:
    return Recipe([_interpreter()], ContainerConfig(command=[python.INTERPRETER], user=_USER))


def _ours(dockerfile: str) -> Recipe:
    """An image of this project, as its Dockerfile says it."""
    built = read_dockerfile(ROOT / dockerfile)
    layers = [_interpreter(), _environment(built.environment, built.requirements), _sources(built)]
    return Recipe(layers, built.config)


def _mlserver() -> Recipe:
    """MLServer, started as its own image starts it."""
    folder = "/opt/mlserver"
    environment = {"MLSERVER_MODELS_DIR": "/mnt/models", "PATH": f"{folder}/bin:/usr/bin"}
    config = ContainerConfig(
        command=["mlserver", "start", "/mnt/models"],
        user="1000:1000",
        working_directory=folder,
        environment=environment,
    )
    return Recipe([_interpreter(), _environment(folder, "mlserver")], config)


def _triton() -> Recipe:
    """Triton where its own image has it, in /opt/tritonserver; its Python backend finds ONNX Runtime."""
    packages = python.site_packages(_TRITON)
    config = ContainerConfig(
        command=["tritonserver"],
        user="1000:1000",
        working_directory="/opt/tritonserver",
        environment={
            "PATH": "/opt/tritonserver/bin:/usr/bin",
            "LD_LIBRARY_PATH": f"{packages}/nvidia_pytriton.libs",
        },
    )
    inputs = [*_TRITON_PACKAGES, python.VERSION, *_requirements("triton")]
    return Recipe([_interpreter(), Layer("triton", inputs, _make_triton)], config)


_TRITON = "/opt/triton"
# The backend starts a model's process by bash, and that process embeds the interpreter.
_TRITON_PACKAGES = ("bash", "libpython3.11", "libtinfo6")


def _make_triton(tree: Path, base: Path) -> None:
    debian.unpack(debian.download(_TRITON_PACKAGES), tree)
    python.make_environment(tree, _TRITON, _REQUIREMENTS / "triton.txt")
    python.compile_sources(base, tree, _TRITON)
    server = f"{python.site_packages(_TRITON)}/pytriton/tritonserver"
    (tree / "opt" / "tritonserver").symlink_to(server)
    (tree / "usr" / "bin" / "sh").symlink_to("bash")
    # A model's process heeds no PYTHONPATH; it finds what Debian's interpreter finds.
    found = tree / "usr" / "local" / "lib" / f"python{python.VERSION}" / "dist-packages"
    found.parent.mkdir(parents=True)
    found.symlink_to(python.site_packages(_TRITON))
    stubs, backend = (
        tree / server.lstrip("/") / "python_backend_stubs",
        tree / server.lstrip("/") / "backends" / "python",
    )
    (stubs / python.VERSION / "triton_python_backend_stub").rename(backend / "triton_python_backend_stub")
    shutil.rmtree(stubs)
    for program in (backend / "triton_python_backend_stub", tree / server.lstrip("/") / "bin" / "tritonserver"):
        program.chmod(0o755)


def _interpreter() -> Layer:
    def make(tree: Path, _: Path) -> None:
        debian.unpack(debian.download(python.PACKAGES), tree)
        _furnish(tree)
        (tree / "usr" / "bin" / "python3").symlink_to(python.INTERPRETER)
        python.compile_sources(tree, tree, f"/usr/lib/python{python.VERSION}")

    return Layer("python", python.PACKAGES, make)


def _environment(folder: str, requirements: str) -> Layer:
    def make(tree: Path, base: Path) -> None:
        python.make_environment(tree, folder, _REQUIREMENTS / f"{requirements}.txt")
        python.compile_sources(base, tree, folder)

    return Layer(requirements, [folder, python.VERSION, *_requirements(requirements)], make)


def _requirements(name: str) -> list[str]:
    return [(_REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")]


def _sources(built: Built) -> Layer:
    def make(tree: Path, base: Path) -> None:
        for source, target in built.sources:
            place = tree / target.lstrip("/")
            for file in _files(ROOT / source):
                copy = place / file.relative_to(ROOT / source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        python.compile_sources(base, tree, built.environment)

    inputs = [
        f"{target}/{file.relative_to(ROOT / source)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for source, target in built.sources
        for file in _files(ROOT / source)
    ]
    return Layer("sources", inputs, make)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _furnish(tree: Path) -> None:
    """What every program may ask for: a place for temporary files and names for two users."""
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    (tree / "etc").mkdir(exist_ok=True)
    (tree / "etc" / "passwd").write_text(_USERS, encoding="utf-8")
    (tree / "etc" / "group").write_text(_GROUPS, encoding="utf-8")


RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "busybox": _busybox,
    "python": _python,
    "aiop": partial(_ours, "Dockerfile"),
    "fetcher": partial(_ours, "Dockerfile.fetcher"),
    "mlserver": _mlserver,
    "triton": _triton,
}
