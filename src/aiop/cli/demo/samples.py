"""The samples that the demo applies: manifests/samples of the checkout, or the package's copy of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import yaml

from aiop.cli.demo.errors import DemoError

_PACKAGED = Path(__file__).parent / "samples"
_CHECKOUT = Path(__file__).parents[4] / "manifests" / "samples"


def sample_objects() -> Iterator[Mapping[str, object]]:
    """Every object of every sample file, in the files' order of names; raises DemoError if there are none."""
    folder = next((folder for folder in (_PACKAGED, _CHECKOUT) if folder.is_dir()), None)
    if folder is None:
        message = f"no samples found, neither in {_PACKAGED} nor in {_CHECKOUT}; run the demo from a checkout"
        raise DemoError(message)
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document:
                yield cast("Mapping[str, object]", document)
