"""kopf in an environment of its own: it has no part in this project's."""

from pathlib import Path

from hack.environments import ensure_environment

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "bench.txt"


def ensure_kopf() -> Path:
    """Its Python, making the environment if it is not there."""
    return ensure_environment("bench")


def kopf_version() -> str:
    """The pinned one."""
    pins = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    (pin,) = [line for line in pins if line.startswith("kopf==")]
    return pin.removeprefix("kopf==").split()[0]
