"""Why the autoscaler cannot say how many replicas there should be."""


class NoMetric(Exception):
    """Raised when a metric cannot be had or makes no sense; ``reason`` is the one that conditions and events give."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
