"""What a person can do about a reason: the list of reasons has it."""

from aiop.controllers.serving.reasons import REASONS

_FIXES = {each.name: each.fix for each in REASONS}


def fix_of(reason: str) -> str:
    """What a person can do; empty for nothing, or a reason that is not in the list."""
    return _FIXES.get(reason, "")
