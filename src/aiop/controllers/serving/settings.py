"""What an administrator sets for the serving controller."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiop import __version__


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """``model_store`` is where models lie that name no URI; empty if there is none.

    ``fetch_resources`` are those of the containers that fetch models (`limits` and `requests`); empty: the server's.
    ``mlflow_tracking_uri`` is the registry of models:/ URIs; empty if the namespaces' own credentials name it.
    """

    model_store: str = ""
    fetch_image: str = f"ghcr.io/geartickler/aiop-fetcher:{__version__}"
    fetch_resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mlflow_tracking_uri: str = ""
    workers: int = 4
