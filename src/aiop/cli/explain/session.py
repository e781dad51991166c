"""The caller's own context, user and namespace, as kubectl finds them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes_asyncio.config.config_exception import ConfigException
from kubernetes_asyncio.config.kube_config import list_kube_config_contexts
from yaml import YAMLError

from aiop.runtime.client.connection import DEFAULT_KUBECONFIG

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, and where; ``context`` and ``user`` are empty where no kubeconfig names them."""

    namespace: str
    context: str = ""
    user: str = ""

    @property
    def whose(self) -> str:
        """Which cluster is asked, for a message."""
        return f"the context {self.context!r}" if self.context else "this cluster"

    @property
    def who(self) -> str:
        """Who asks, for a message."""
        return f"the user {self.user!r}" if self.user else "this ServiceAccount"


def session_of(kubeconfig: str | None, context: str | None, own: Path = _SERVICE_ACCOUNT) -> Session:
    """The session of that context; its namespace is the context's, else that of the pod that this runs in.

    Else it is `default`. A kubeconfig that makes no sense says nothing here: the connection says what is wrong with it.
    Reads files, so it blocks.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT_KUBECONFIG
    found = _context(path, context) if _exists(path) else {}
    content = found.get("context") or {}
    namespace = str(content.get("namespace") or "")
    if not namespace and not found and own.exists():
        namespace = own.read_text(encoding="utf-8").strip()
    return Session(namespace or "default", str(found.get("name") or ""), str(content.get("user") or ""))


def _exists(paths: str) -> bool:
    return any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path)


def _context(path: str, name: str | None) -> dict[str, Any]:
    try:
        contexts, active = list_kube_config_contexts(path)
    except (ConfigException, OSError, YAMLError, TypeError, ValueError, AttributeError, KeyError):
        return {}
    wanted = active if name is None else next((each for each in contexts if each.get("name") == name), None)
    return dict(wanted or {})
