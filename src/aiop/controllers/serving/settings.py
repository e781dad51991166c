"""What an administrator sets for the serving controller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """``model_store`` is where models lie that name no URI; empty if there is none."""

    model_store: str = ""
    # Fetches s3, gs, https and hf models before the server starts: arguments are the URI and the folder.
    fetch_image: str = "kserve/storage-initializer:v0.15.2"
    workers: int = 4
