"""`python -m hack.images NAME…`: make these images if they are not there, and print their archives."""

import argparse

from hack.images.recipes import RECIPES
from hack.images.store import ensure_image

_parser = argparse.ArgumentParser(prog="python -m hack.images", description=__doc__)
_parser.add_argument("names", metavar="NAME", nargs="+", choices=sorted(RECIPES), help=", ".join(sorted(RECIPES)))
for _name in _parser.parse_args().names:
    print(ensure_image(_name).archive)
