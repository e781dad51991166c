"""What can go wrong in the demo, in words for the person who typed it."""


class DemoError(Exception):
    """Raised when the demo cannot go on; the text says why and what to do."""


class ManagerDied(DemoError):
    """Raised when the operator's process ended by itself while the demo still needed it."""


class StepFailed(DemoError):
    """Raised when a step of the story does not come to its end in time, or an answer is not the one it should be."""
