"""The caller's own connection and namespace, as kubectl finds them."""

import os
from pathlib import Path
from typing import Any

from kubernetes_asyncio.config.config_exception import ConfigException
from kubernetes_asyncio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, list_kube_config_contexts
from yaml import YAMLError

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def namespace_of(kubeconfig: str | None, context: str | None, own: Path = _SERVICE_ACCOUNT) -> str:
    """The namespace of the context, else of the pod that this runs in, else `default`; reads files, so it blocks.

    A kubeconfig that makes no sense says nothing here: the connection says what is wrong with it.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG") or KUBE_CONFIG_DEFAULT_LOCATION
    found = _context(path, context) if _exists(path) else {}
    named = (found.get("context") or {}).get("namespace")
    if named:
        return str(named)
    if not found and own.exists():
        return own.read_text(encoding="utf-8").strip() or "default"
    return "default"


def _exists(paths: str) -> bool:
    return any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path)


def _context(path: str, name: str | None) -> dict[str, Any]:
    try:
        contexts, active = list_kube_config_contexts(path)
    except (ConfigException, OSError, YAMLError, TypeError, AttributeError, KeyError):
        return {}
    wanted = active if name is None else next((each for each in contexts if each.get("name") == name), None)
    return dict(wanted or {})
