"""The `aiop` command: picks a subcommand and hands it the rest. Only that subcommand's module is imported."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from aiop import __version__

# Each subcommand: what it does, and its module, whose `add_arguments` declares its options; `run` does its work and
# returns the exit code.
# They are imported when asked for: the operator's image lacks what only the demo needs.
COMMANDS = {
    "manager": ("run the operator", "aiop.cli.manager"),
    "demo": ("see it work on an embedded cluster", "aiop.cli.demo.command"),
    "explain": ("say what holds an object back, and what comes next", "aiop.cli.explain.command"),
    "crds": ("print the CustomResourceDefinitions", "aiop.cli.crds"),
}

# What shells call the end of a program by Ctrl-C, and by SIGPIPE.
_INTERRUPTED = 130
_UNREAD = 141


def build_parser(command: str) -> argparse.ArgumentParser:
    """The command line, with the options of ``command`` if it is one of ours."""
    parser = argparse.ArgumentParser(prog=_program(sys.argv[0]), description="The AI Workload Operator for Kubernetes.")
    parser.add_argument("--version", action="version", version=f"aiop {__version__}")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, module) in COMMANDS.items():
        subparser = subcommands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        if name == command:
            implementation = _imported(module, subparser)
            implementation.add_arguments(subparser)
            subparser.set_defaults(run=implementation.run)
    return parser


def _program(path: str) -> str:
    """What the caller typed: kubectl finds plugins by their names, and they speak of themselves as it calls them."""
    return "kubectl aiop" if Path(path).stem == "kubectl-aiop" else "aiop"


def _imported(module: str, parser: argparse.ArgumentParser) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not module.startswith("aiop.cli.demo"):
            raise
        parser.error(
            f"this installation lacks {error.name}; install aiop with its demo extra: pip install 'aiop[demo]'"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `aiop` with ``arguments`` (those of the process if None) and return its exit code.

    It is 130 after a Ctrl-C, and 141 where nobody reads the output any more.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = next((word for word in given if word in COMMANDS), "")
    try:
        options = build_parser(command).parse_args(given)
        exit_code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would be tried once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNREAD
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
