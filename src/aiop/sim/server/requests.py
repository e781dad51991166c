"""What a request asks for besides its object."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The options of a write; ``warnings`` collects what the answer's Warning headers will say."""

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The options of a delete."""

    uid: str = ""
    version: str = ""
    propagation: str = "Background"
    grace_seconds: int | None = None
    dry_run: bool = False
