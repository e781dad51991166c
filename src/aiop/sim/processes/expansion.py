"""``$(NAME)`` in variables, commands and arguments, as Kubernetes expands it: no shell has a part in it."""

import re
from collections.abc import Mapping

# A reference, or a doubled dollar; any other dollar stays.
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expanded(text: str, *variables: Mapping[str, str]) -> str:
    """``text`` with each ``$(NAME)`` replaced by the first of ``variables`` that has it.

    An unknown name stays as it is written; ``$$`` is one dollar, so ``$$(NAME)`` is the text ``$(NAME)``.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "$"
        return next((each[name] for each in variables if name in each), found[0])

    return _REFERENCE.sub(value, text)
