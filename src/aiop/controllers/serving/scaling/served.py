"""Whether the GPU metric is served for a workload's pods, and why it is not."""

from dataclasses import dataclass
from enum import Enum


class Sight(Enum):
    """What a look at the cluster's metrics showed for one workload."""

    SERVED = "a pod of the workload has a value"
    UNKNOWN = "nobody has looked yet"
    NO_API = "the group custom.metrics.k8s.io does not exist"
    NO_METRIC = "it has no such metric of pods"
    NO_SAMPLE = "the metric exists, but no pod of the workload has a value"
    BLANK = "a pod of the workload has a value that stands for none"
    FORBIDDEN = "the operator may not read it"
    UNREADABLE = "it does not answer, or with nonsense"


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of ``metric``; ``sight`` is the last one that counts.

    ``served`` None: not decided, so what the autoscaler has stays as it is.
    """

    served: bool | None = None
    sight: Sight = Sight.UNKNOWN
    metric: str = ""


NOT_LOOKED = Served()


# The ends of sentences: the cause, and what would help. They hold no text of any server's, since that may never rest.
_WHY = {
    Sight.UNKNOWN: "it is not known yet whether this cluster serves the metric {metric}",
    Sight.NO_API: (
        "this cluster has no API custom.metrics.k8s.io; install an adapter that serves the metric {metric} of pods"
    ),
    Sight.NO_METRIC: "custom.metrics.k8s.io serves no metric {metric} of pods; add it to the adapter's rules",
    Sight.NO_SAMPLE: (
        "the metric {metric} has no value for these pods yet; if that lasts, see that they use a GPU and that the "
        "exporter on their nodes names its pods"
    ),
    Sight.BLANK: (
        "the metric {metric} has a blank value for these pods, since their GPU does not measure it; use one that it "
        "measures"
    ),
    Sight.FORBIDDEN: (
        "the operator may not get pods/{metric} of custom.metrics.k8s.io; its role must name that metric"
    ),
    Sight.UNREADABLE: (
        "custom.metrics.k8s.io gives no proper answer for the metric {metric}; the adapter's log says why"
    ),
}


def why_left_out(sight: Sight, metric: str) -> str:
    """The end of a sentence; for anything but `SERVED`."""
    return _WHY[sight].format(metric=metric)
