"""The demo's console."""

from rich.console import Console


class DemoConsole(Console):
    """Rich's, without an idea of its own of what to do where nobody reads: the command ends as others do."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError
