"""The `aiop` command: picks a subcommand and hands it the rest. Nothing heavy is imported before that."""

import argparse
import sys
from collections.abc import Callable, Sequence

from aiop import __version__
from aiop.cli import crds, manager
from aiop.cli.demo import command as demo

# Every subcommand's module: `add_arguments` declares its options, `run` does its work and returns the exit code.
_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]] = {
    "manager": ("run the operator", manager.add_arguments, manager.run),
    "demo": ("see it work on an embedded cluster", demo.add_arguments, demo.run),
    "crds": ("print the CustomResourceDefinitions", crds.add_arguments, crds.run),
}


def build_parser() -> argparse.ArgumentParser:
    """The command line of `aiop`, all subcommands included."""
    parser = argparse.ArgumentParser(prog="aiop", description="The AI Workload Operator for Kubernetes.")
    parser.add_argument("--version", action="version", version=f"aiop {__version__}")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, add_arguments, run) in _COMMANDS.items():
        subparser = subcommands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        add_arguments(subparser)
        subparser.set_defaults(run=run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `aiop` with ``arguments`` (those of the process if None) and return its exit code."""
    options = build_parser().parse_args(arguments)
    exit_code: int = options.run(options)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
