"""The reference of the command line, from its parsers."""

import argparse
from collections.abc import Iterator

from aiop.cli.main import COMMANDS, build_parser

_INTRODUCTION = """# The command line

The package installs one program, `aiop`; `python -m aiop` is the same. `aiop --version` prints its version,
`aiop --help` its commands. A wrong argument ends it with exit code 2 and a word on what would do.

"""


def command_line_page() -> str:
    """Every command and option, with its default."""
    overview = [f"- [`aiop {name}`](#aiop-{name}): {summary}." for name, (summary, _) in COMMANDS.items()]
    sections = [_command(name, summary) for name, (summary, _) in COMMANDS.items()]
    return _INTRODUCTION + "\n".join([*overview, "", *sections])


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, with all its options."""
    for action in build_parser(name)._actions:  # noqa: SLF001 - argparse shows its options in no other way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            parser: argparse.ArgumentParser = action.choices[name]
            return parser
    message = f"aiop has no command {name}"
    raise LookupError(message)


def options_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What can be given to it; every command has --help besides."""
    yield from (action for action in parser._actions if not isinstance(action, argparse._HelpAction))  # noqa: SLF001


def _command(name: str, summary: str) -> str:
    parser = command_parser(name)
    lines = [f"## aiop {name}\n", f"{summary[:1].upper()}{summary[1:]}.\n"]
    rows = [_row(action) for action in options_of(parser)]
    if rows:
        lines += ["| option | default | what it does |\n|---|---|---|\n" + "\n".join(rows) + "\n"]
    else:
        lines += ["It has no options.\n"]
    if parser.epilog:
        example, _, command = parser.epilog.partition(": ")
        lines += [f"{example}: `{command}`\n"]
    return "\n".join(lines)


def _row(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    if action.choices is not None:
        name += " {" + ",".join(str(choice) for choice in action.choices) + "}"
    elif action.nargs != 0 and action.option_strings:
        name += f" {action.metavar or action.dest.upper()}"
    return f"| `{name}` | {_default(action)} | {(action.help or '').replace('|', chr(92) + '|')} |"


def _default(action: argparse.Action) -> str:
    nothing = action.default in (None, "", argparse.SUPPRESS) or action.nargs == 0
    return "" if nothing else f"`{action.default}`"
