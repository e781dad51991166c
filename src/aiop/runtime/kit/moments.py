"""Moments as the API server writes them."""

from datetime import datetime


def moment_of(text: str) -> datetime | None:
    """An RFC 3339 text as an aware datetime; None for what is no moment with a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
