"""The official Python client as tests use it; its annotations cover a part of it only, so all of it is Any here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes
import kubernetes.dynamic
import pytest

kube: Any = kubernetes


@contextmanager
def connected(kubeconfig: Path) -> Iterator[Any]:
    """An ApiClient of that kubeconfig."""
    with kube.config.new_client_from_config(str(kubeconfig)) as api_client:
        yield api_client


@contextmanager
def refused() -> Iterator[dict[str, Any]]:
    """Expects an ApiException; what is yielded becomes its Status once the block is over."""
    told: dict[str, Any] = {}
    with pytest.raises(kube.client.ApiException) as caught:
        yield told
    told |= json.loads(caught.value.body)
    assert told["code"] == caught.value.status
