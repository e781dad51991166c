"""Words of others (kubelets, schedulers, containers of tenants) made fit for a condition's message."""

import unicodedata

# Enough for every sentence of Kubernetes itself; a message may be 32 KiB, and a log is longer.
WORDS = 400


def version_in_words(version: str) -> str:
    """A version as a sentence has it: one that is a number stands beside numbers of servers."""
    return f"version {version}" if version[:1].isdigit() else version


def one_line(words: str, limit: int = WORDS) -> str:
    """One line of at most ``limit`` characters, its end if it is longer: of a log the end has the error.

    Control and formatting characters are left out: what a tenant's container says must not move a reader's cursor.
    """
    # Of a mebibyte only the end can matter, and collapsing spaces leaves at least a part of it.
    line = " ".join("".join(map(_printable, words[-64 * limit :])).split())
    return line if len(line) <= limit else "…" + line[-limit:]


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character).startswith("C") else character
