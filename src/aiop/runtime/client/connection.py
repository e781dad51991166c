"""Where the API server is and who we are, as kubernetes-asyncio reads it: kubeconfig, in-cluster, exec plugins."""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import structlog
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes_asyncio.config.kube_config import load_kube_config

from aiop.runtime.client.aside import aside
from aiop.runtime.client.errors import ConfigurationFailed
from aiop.runtime.client.kubeconfigfaults import check_kubeconfig, is_whole_url
from aiop.runtime.client.sockets import open_session

log = structlog.get_logger(__name__)
# Its errors are raised too; without a handler Python prints them a second time.
logging.getLogger("kubernetes_asyncio").addHandler(logging.NullHandler())

# Bound tokens are rotated by the kubelet at 80 % of an hour; reading the file this often is early enough.
_TOKEN_READ_SECONDS = 60.0
# A plugin that asks a person or a far server is slow; what takes longer than this hangs.
LOAD_SECONDS = 30.0
# kubectl's own; the library's constant is what $KUBECONFIG was when it was imported.
DEFAULT_KUBECONFIG = "~/.kube/config"
_CERTIFICATES = "cannot use the certificates"

Reload = Callable[[], Awaitable[None]]


class Connection:
    """An open session with its credentials; ``renew`` fetches them anew after a 401.

    ``generation`` counts the renewals: who was refused says with which one, and many refused at once renew once.
    """

    def __init__(
        self, configuration: Configuration, reload: Reload, identity: tuple[bytes, ...], load_seconds: float
    ) -> None:
        self.generation = 0
        self._load_seconds = load_seconds
        self._configuration = configuration
        self._reload = reload
        self._identity = identity
        self._renewal = asyncio.Lock()
        self._proxy = configuration.proxy or _environments_proxy(self.host)
        self.session = open_session(_tls(configuration))

    @property
    def host(self) -> str:
        """The API server's URL, without a slash at its end."""
        return str(self._configuration.host).rstrip("/")

    @property
    def request_options(self) -> dict[str, Any]:
        """What each request needs beside its own: the proxy of the kubeconfig, else the environment's; server name."""
        options = {
            "proxy": self._proxy,
            "proxy_headers": self._configuration.proxy_headers,
            "server_hostname": self._configuration.tls_server_name,
        }
        return {name: value for name, value in options.items() if value}

    async def authorization(self) -> dict[str, str]:
        """The Authorization header, if the credentials are not a client certificate."""
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            return {"Authorization": str(token).strip()}  # a token file written by hand ends with a line end
        if self._configuration.username:
            return {"Authorization": str(self._configuration.get_basic_auth_token())}
        return {}

    async def renew(self, used: int) -> None:
        """Fetch the credentials anew, unless that was done since generation ``used``; raises ConfigurationFailed.

        A certificate that changed needs new connections: those that are open, watches too, end with ConnectionFailed.
        """
        async with self._renewal:
            if used != self.generation:
                return
            await self._reload()
            identity = await _identity(self._configuration, self._load_seconds)
            if identity != self._identity:
                await self._reopen()
                self._identity = identity
            self.generation += 1

    async def _reopen(self) -> None:
        with _told(_CERTIFICATES):
            fresh = open_session(_tls(self._configuration))
        old, self.session = self.session, fresh
        await old.close()

    async def aclose(self) -> None:
        """Close the session."""
        await self.session.close()


async def load_connection(
    kubeconfig: str | None = None, context: str | None = None, *, load_seconds: float = LOAD_SECONDS
) -> Connection:
    """Connect as ``kubeconfig`` says; without one as the pod's ServiceAccount, else by $KUBECONFIG or ~/.kube/config.

    Raises ConfigurationFailed, naming what was tried, now and at each renewal, also if that takes more than
    ``load_seconds``; a plugin that hangs is killed then.
    """
    configuration = type.__call__(Configuration)  # a fresh one: the class hands out copies of a global default
    in_cluster = kubeconfig is None and context is None and os.environ.get(SERVICE_HOST_ENV_NAME)
    if in_cluster:
        reload = _in_cluster(configuration, load_seconds)
    else:
        reload = _from_kubeconfig(configuration, kubeconfig, context, load_seconds)
    await reload()
    identity = await _identity(configuration, load_seconds)
    with _told(_CERTIFICATES):
        return Connection(configuration, reload, identity, load_seconds)


def _tls(configuration: Configuration) -> ssl.SSLContext:
    """Whom to trust and who we are; the machine's own authorities if none is named."""
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.disable_strict_ssl_verification:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _environments_proxy(host: str) -> str | None:
    """What HTTPS_PROXY or HTTP_PROXY says for the API server, unless NO_PROXY names it."""
    url = urlsplit(host)
    return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)


def _from_kubeconfig(
    configuration: Configuration, kubeconfig: str | None, context: str | None, seconds: float
) -> Reload:
    async def load() -> None:
        paths = kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT_KUBECONFIG
        try:
            await load_kube_config(
                config_file=paths, context=context, client_configuration=configuration, persist_config=False
            )
        except Exception as error:
            await asyncio.to_thread(check_kubeconfig, paths, context, error)
            raise
        if not is_whole_url(str(configuration.host)):
            await asyncio.to_thread(check_kubeconfig, paths, context, None)

    async def reload() -> None:
        with _told(f"cannot find the API server by {_named(kubeconfig)}"):
            await aside(load, seconds)  # it reads files, and may run a plugin that reads more

    return reload


def _named(kubeconfig: str | None) -> str:
    """Which kubeconfig is meant, as its reader would look for it."""
    if kubeconfig:
        return kubeconfig
    environment = os.environ.get("KUBECONFIG")
    return f"$KUBECONFIG ({environment})" if environment else f"{DEFAULT_KUBECONFIG} ($KUBECONFIG is not set)"


def _in_cluster(configuration: Configuration, seconds: float) -> Reload:
    loader = InClusterConfigLoader(
        token_filename=SERVICE_TOKEN_FILENAME,
        cert_filename=SERVICE_CERT_FILENAME,
        try_refresh_token=False,  # its own refresh reads the file on the event loop; ours does not
    )
    loop = asyncio.get_running_loop()
    last_read = -_TOKEN_READ_SECONDS

    async def load() -> None:
        loader.load_and_set(configuration)

    async def reload() -> None:
        nonlocal last_read
        last_read = loop.time()
        with _told("cannot find the API server by the pod's ServiceAccount"):
            await aside(load, seconds)

    async def refresh(_configuration: Configuration) -> None:
        if loop.time() - last_read < _TOKEN_READ_SECONDS:
            return
        try:
            await reload()
        except ConfigurationFailed as error:
            # The token at hand may serve for a while yet; when it does not, a 401 comes and renews it or fails.
            log.warning("cannot read the ServiceAccount's token anew", error=str(error))

    configuration.refresh_api_key_hook = refresh
    return reload


async def _identity(configuration: Configuration, seconds: float) -> tuple[bytes, ...]:
    """What the files of our TLS material say now; their names may stay while their content is rotated."""
    files = (configuration.cert_file, configuration.key_file, configuration.ssl_ca_cert)

    async def read() -> tuple[bytes, ...]:
        return tuple(map(_content, filter(None, files)))

    with _told(_CERTIFICATES):
        return await aside(read, seconds)


def _content(file: str) -> bytes:
    return Path(file).read_bytes()


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever the library's parser, the plugin or the operating system raises, as ConfigurationFailed."""
    try:
        yield
    except Exception as error:
        message = f"{what}: {error or type(error).__name__}"
        raise ConfigurationFailed(message) from error
