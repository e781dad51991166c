"""Where the API server is and who we are, as kubernetes-asyncio reads it: kubeconfig, in-cluster, exec plugins."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes_asyncio.config.kube_config import load_kube_config

from aiop.runtime.client.errors import ClientError

# Bound tokens are rotated by the kubelet at 80 % of an hour; reading the file this often is early enough.
_TOKEN_READ_SECONDS = 60.0


class ConfigurationFailed(ClientError):
    """Raised when neither a kubeconfig nor an in-cluster ServiceAccount says where the API server is."""


class Connection:
    """An open ApiClient with its credentials; ``renew`` fetches them anew after a 401."""

    def __init__(self, configuration: Configuration, reload: Callable[[], Awaitable[None]]) -> None:
        # Watches hold a connection each; their number is bounded by the informers, not by a pool.
        configuration.connection_pool_maxsize = 0
        self._configuration = configuration
        self._reload = reload
        self._renewal = asyncio.Lock()
        self.api_client = ApiClient(configuration=configuration)

    @property
    def host(self) -> str:
        """The API server's URL, without a slash at its end."""
        return str(self._configuration.host).rstrip("/")

    @property
    def session(self) -> Any:
        """The aiohttp session that kubernetes-asyncio set up with our TLS material."""
        return self.api_client.rest_client.pool_manager

    @property
    def request_options(self) -> dict[str, Any]:
        """What kubernetes-asyncio would add to each request: proxy and server name."""
        rest = self.api_client.rest_client
        options = {
            "proxy": rest.proxy,
            "proxy_headers": rest.proxy_headers,
            "server_hostname": rest.server_hostname,
        }
        return {name: value for name, value in options.items() if value}

    async def authorization(self) -> dict[str, str]:
        """The Authorization header, if the credentials are not a client certificate."""
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            return {"Authorization": str(token)}
        if self._configuration.username:
            return {"Authorization": str(self._configuration.get_basic_auth_token())}
        return {}

    async def renew(self) -> None:
        """Fetch the credentials anew; many callers at once cause one renewal each, one after the other."""
        async with self._renewal:
            await self._reload()

    async def aclose(self) -> None:
        """Close the session."""
        await self.api_client.close()


async def load_connection(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """Connect as ``kubeconfig`` says; without one as the pod's ServiceAccount, else by $KUBECONFIG or ~/.kube/config.

    Raises ConfigurationFailed, naming what was tried.
    """
    configuration = type.__call__(Configuration)  # a fresh one: the class hands out copies of a global default
    in_cluster = kubeconfig is None and context is None and os.environ.get(SERVICE_HOST_ENV_NAME)
    try:
        reload = (
            await _in_cluster(configuration)
            if in_cluster
            else await _from_kubeconfig(configuration, kubeconfig, context)
        )
    except (ConfigException, OSError) as error:
        tried = "the pod's ServiceAccount" if in_cluster else kubeconfig or "$KUBECONFIG or ~/.kube/config"
        message = f"cannot find the API server by {tried}: {error}"
        raise ConfigurationFailed(message) from error
    return Connection(configuration, reload)


async def _from_kubeconfig(
    configuration: Configuration, kubeconfig: str | None, context: str | None
) -> Callable[[], Awaitable[None]]:
    async def reload() -> None:
        path = kubeconfig or os.environ.get("KUBECONFIG") or None
        loading = load_kube_config(
            config_file=path, context=context, client_configuration=configuration, persist_config=False
        )
        # It reads files, and may run a plugin that reads more: in a thread with a loop of its own it holds up nobody.
        await asyncio.to_thread(asyncio.run, loading)

    await reload()
    return reload


async def _in_cluster(configuration: Configuration) -> Callable[[], Awaitable[None]]:
    loader = InClusterConfigLoader(
        token_filename=SERVICE_TOKEN_FILENAME,
        cert_filename=SERVICE_CERT_FILENAME,
        try_refresh_token=False,  # its own refresh reads the file on the event loop; ours does not
    )
    loop = asyncio.get_running_loop()
    last_read = -_TOKEN_READ_SECONDS

    async def reload() -> None:
        nonlocal last_read
        await asyncio.to_thread(loader.load_and_set, configuration)
        last_read = loop.time()

    async def refresh(_configuration: Configuration) -> None:
        if loop.time() - last_read >= _TOKEN_READ_SECONDS:
            await reload()

    await reload()
    configuration.refresh_api_key_hook = refresh
    return reload
