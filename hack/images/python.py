"""Python in images: Debian's interpreter, and virtual environments upon it with hashed requirements from PyPI."""

import subprocess
import sys
from pathlib import Path

from hack.images.errors import ImageNotMade

VERSION = "3.11"
INTERPRETER = f"/usr/bin/python{VERSION}"
# The interpreter, the part of its library that is a package of its own, and the libraries that its modules link to.
PACKAGES = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libuuid1",
    "zlib1g",
)
# Wheels alone: a source distribution would need a compiler, and its result would depend on this machine.
_INSTALL = ("--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--python-version", VERSION)


def site_packages(environment: str) -> str:
    """Where the packages of a virtual environment lie."""
    return f"{environment}/lib/python{VERSION}/site-packages"


def make_environment(tree: Path, environment: str, requirements: Path) -> None:
    """A virtual environment of the image's interpreter at the path ``environment`` of ``tree``; raises ImageNotMade."""
    folder = tree / environment.lstrip("/")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(INTERPRETER)
    (folder / "pyvenv.cfg").write_text(f"home = {Path(INTERPRETER).parent}\n", encoding="utf-8")
    packages = tree / site_packages(environment).lstrip("/")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_INSTALL]
    _run(*pip, "--target", str(packages), "-r", str(requirements))
    _move_scripts(packages / "bin", folder / "bin", environment)
    for record in packages.glob("*.dist-info/RECORD"):
        record.unlink()  # holds the hashes of scripts that named this machine's interpreter


def compile_sources(base: Path, tree: Path, folder: str) -> None:
    """Compile what is in ``folder`` of ``tree``, by the interpreter in ``base``: no container can write it down later.

    Caches carry no times, so that the same sources give the same bytes.
    """
    libraries = f"{base}/usr/lib/{_triplet(base)}"
    (loader,) = (base / "usr" / "lib64").glob("ld-linux-*.so.*")
    python = [str(loader), "--library-path", libraries, f"{base}{INTERPRETER}"]
    options = ["-m", "compileall", "-q", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", "/"]
    # Some packages carry files for a Python of another age; that these do not compile harms nobody.
    subprocess.run([*python, *options, str(tree / folder.lstrip("/"))], check=False, env={"PYTHONHOME": f"{base}/usr"})


def _triplet(base: Path) -> str:
    """What Debian calls the machine: the folder of its libraries."""
    (library,) = (base / "usr" / "lib").glob("*/libc.so.6")
    return library.parent.name


def _move_scripts(source: Path, target: Path, environment: str) -> None:
    """Scripts into the environment's own folder, started by its own interpreter."""
    for script in source.glob("*"):
        first, _, rest = script.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            script.write_bytes(f"#!{environment}/bin/python\n".encode() + rest)
        script.rename(target / script.name)
    if source.exists():
        source.rmdir()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageNotMade(f"{' '.join(command)} failed with exit code {done.returncode}: {done.stderr.strip()}")
