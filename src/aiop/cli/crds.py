"""`aiop crds`: the CustomResourceDefinitions as one YAML stream, ready for kubectl."""

import argparse
import sys

import yaml

from aiop.api.crd import custom_resource_definitions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options yet: what the operator serves is what is printed."""
    parser.epilog = "Example: aiop crds | kubectl apply --server-side -f -"


def run(_options: argparse.Namespace) -> int:
    """Print every definition; always 0."""
    yaml.dump_all(custom_resource_definitions(), sys.stdout, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    return 0


class _Plain(yaml.SafeDumper):
    """Writes each thing out where it stands: anchors are for machines."""

    def ignore_aliases(self, _data: object) -> bool:
        return True
