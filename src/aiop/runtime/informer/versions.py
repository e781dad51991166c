"""Resource versions are decimal integers of any size: compare by length, then as text (KEP-5504)."""


def is_newer(version: str, than: str) -> bool:
    """True if ``version`` is later than ``than``; an empty version is older than all."""
    return (len(version), version) > (len(than), than)
