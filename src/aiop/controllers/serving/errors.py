"""Why a spec cannot be served, a child not written, or a metric not read; each ends in a condition."""

from aiop.controllers.serving.scaling.served import Sight


class NotAccepted(Exception):
    """Raised when a spec cannot be served as it stands; ``reason`` is in the list of reasons, the text says the fix."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class MetricsUnreadable(Exception):
    """Raised when the cluster's metrics of pods cannot be read; ``sight`` says how far one came."""

    def __init__(self, sight: Sight) -> None:
        super().__init__(sight.value)
        self.sight = sight


class ChildRefused(Exception):
    """Raised when the API server forbids a child; ``reason`` says who: a quota, a policy, a right that is missing."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
