"""What an informer counts."""

from typing import Protocol


class InformerMetrics(Protocol):
    """What an informer counts; the manager binds it to Prometheus."""

    def started(self, informer: str) -> None:
        """There is such an informer: its series begin, at zero."""

    def synced(self, informer: str, synced: bool) -> None:
        """Whether its first list is in the store."""

    def relisted(self, informer: str) -> None:
        """A list replaced the store."""

    def failed(self, informer: str) -> None:
        """A list, a watch or a handler failed."""

    def skipped(self, informer: str) -> None:
        """An object could not be decoded, or was of another kind."""

    def active(self, informer: str, moment: float, objects: int) -> None:
        """The stream said something at that wall-clock time (a staleness gauge's other half)."""


class Unmeasured:
    """Nobody counts."""

    def started(self, informer: str) -> None:
        """Nothing."""

    def synced(self, informer: str, synced: bool) -> None:
        """Nothing."""

    def relisted(self, informer: str) -> None:
        """Nothing."""

    def failed(self, informer: str) -> None:
        """Nothing."""

    def skipped(self, informer: str) -> None:
        """Nothing."""

    def active(self, informer: str, moment: float, objects: int) -> None:
        """Nothing."""
