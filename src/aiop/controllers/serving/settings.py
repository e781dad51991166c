"""What an administrator sets for the serving controller."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiop import __version__
from aiop.controllers.serving.exposure.ways import DefaultWays


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """``model_store`` is where models lie that name no URI; empty if there is none.

    ``fetch_resources`` are those of the containers that fetch models (`limits` and `requests`); empty: the server's.
    ``mlflow_tracking_uri`` is the registry of models:/ URIs; empty if the namespaces' own credentials name it.
    ``gpu_metric`` is the metric of pods that GPU targets are measured by, in percent; ``gpu_metric_mig`` that of pods
    with a slice of a GPU, as a ratio of 0 to 1. Both are DCGM's own names, which adapters keep. Every
    ``gpu_metric_seconds`` it is looked whether they are served: HorizontalPodAutoscalers themselves look every 15 s.
    ``monitors`` says whether Prometheus is told what to scrape, ``monitor_labels`` what its selectors look for.
    """

    model_store: str = ""
    fetch_image: str = f"ghcr.io/geartickler/aiop-fetcher:{__version__}"
    fetch_resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mlflow_tracking_uri: str = ""
    gpu_metric: str = "DCGM_FI_DEV_GPU_UTIL"
    gpu_metric_mig: str = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
    gpu_metric_seconds: float = 30.0
    ways: DefaultWays = field(default_factory=DefaultWays)
    monitors: bool = True
    monitor_labels: Mapping[str, str] = field(default_factory=dict)
    workers: int = 4
