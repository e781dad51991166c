"""Resource versions are decimal integers of any size: compare by length, then as text (KEP-5504)."""


def sort_key(version: str) -> tuple[int, str]:
    """Sorts versions by age; an empty version is older than all."""
    return len(version), version


def is_newer(version: str, than: str) -> bool:
    """True if ``version`` is later than ``than``; an empty version is older than all."""
    return sort_key(version) > sort_key(than)
