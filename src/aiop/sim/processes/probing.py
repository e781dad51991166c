"""One probe, really made: an HTTP request, a connection, a command. Wordings are the kubelet's."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from yarl import URL

from aiop.sim.cluster.api import Object
from aiop.sim.processes.errors import CommandNotStarted, PortNotFound
from aiop.sim.processes.execution import Setting, output_of
from aiop.sim.processes.podaccess import Address
from aiop.sim.processes.timing import Sleep, TooLate, within

# As a kubelet reads of an answer and of a command's output.
_MOST_BYTES = 10 * 1024
_MOST_REDIRECTS = 10
_REDIRECTS, _FAILURES = 300, 400
_SUCCESSES = 200
_TIMED_OUT = "context deadline exceeded"
_AGENT = "kube-probe/1.37"


class Verdict(StrEnum):
    """What a probe came to; a warning counts as success."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict, and what there is to say of it."""

    verdict: Verdict
    words: str = ""


class Prober:
    """Makes the probes and HTTP hooks of one container. ``address`` says where a port of its pod is."""

    def __init__(
        self, container: Object, address: Callable[[int], Address], session: aiohttp.ClientSession, sleep: Sleep
    ) -> None:
        self._container = container
        self._address = address
        self._session = session
        self._sleep = sleep

    async def probe(self, probe: Object, setting: Setting, command: list[str]) -> Finding:
        """Make it once; it never raises. ``command`` is that of an exec probe, as it is on this machine."""
        seconds = float(probe.get("timeoutSeconds") or 1)
        try:
            if "httpGet" in probe:
                return await self._http(probe["httpGet"], seconds)
            if "tcpSocket" in probe:
                return await self._tcp(probe["tcpSocket"], seconds)
            if "exec" in probe:
                return await self._exec(setting, command, seconds)
        except (PortNotFound, ValueError, OverflowError, OSError) as error:
            # No number of a port, no name of a host: whatever the API server let through; or no process can be made.
            return Finding(Verdict.FAILURE, str(error))
        kind = next((name for name in ("grpc",) if name in probe), "unknown")
        return Finding(Verdict.FAILURE, f"probes of the kind {kind} are not made where pods run as processes")

    async def get(self, action: Object, seconds: float) -> int:
        """The answer's status to a hook's request; raises aiohttp.ClientError, TooLate, PortNotFound."""
        return (await within(seconds, self._sleep, self._answer(self._url(action), _headers(action, "lifecycle"))))[0]

    async def _http(self, action: Object, seconds: float) -> Finding:
        url = self._url(action)
        headers = _headers(action, "probe")
        try:
            return await within(seconds, self._sleep, self._followed(url, headers))
        except TooLate:
            words = f"{_TIMED_OUT} (Client.Timeout exceeded while awaiting headers)"
        except aiohttp.ClientConnectorError as error:
            words = f"dial tcp {url.host}:{url.port}: connect: {_words_of(error.os_error)}"
        except aiohttp.ServerDisconnectedError:
            words = "EOF"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            words = str(error)
        return Finding(Verdict.FAILURE, f'Get "{url}": {words}')

    async def _followed(self, url: URL, headers: dict[str, str]) -> Finding:
        """A redirect is followed on the same host; one that leads elsewhere is the end, and no failure."""
        host = url.host
        for _ in range(_MOST_REDIRECTS):
            status, location, body = await self._answer(url, headers)
            if status >= _FAILURES or status < _SUCCESSES:
                return Finding(Verdict.FAILURE, f"HTTP probe failed with statuscode: {status}")
            if status < _REDIRECTS or not location:
                return Finding(Verdict.SUCCESS, body)
            url = url.join(URL(location))
            if url.host != host:
                return Finding(Verdict.WARNING, f"Probe terminated redirects, Response body: {body}")
        return Finding(Verdict.FAILURE, f'Get "{url}": stopped after {_MOST_REDIRECTS} redirects')

    async def _answer(self, url: URL, headers: dict[str, str]) -> tuple[int, str, str]:
        async with self._session.get(url, headers=headers, allow_redirects=False, ssl=False) as response:
            body = await response.content.read(_MOST_BYTES)
            return response.status, response.headers.get("Location", ""), body.decode(errors="replace")

    async def _tcp(self, action: Object, seconds: float) -> Finding:
        host, port = self._where(action)
        try:
            _, writer = await within(seconds, self._sleep, asyncio.open_connection(host, port))
        except TooLate:
            return Finding(Verdict.FAILURE, f"dial tcp {host}:{port}: i/o timeout")
        except OSError as error:
            words = _words_of(error)
            return Finding(Verdict.FAILURE, f"dial tcp {host}:{port}: connect: {words}")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return Finding(Verdict.SUCCESS)

    async def _exec(self, setting: Setting, command: list[str], seconds: float) -> Finding:
        try:
            code, output = await within(seconds, self._sleep, output_of(command, setting, _MOST_BYTES))
        except TooLate:
            return Finding(Verdict.FAILURE, f'command timed out: "{" ".join(command)}" timed out after {seconds:g}s')
        except CommandNotStarted as error:
            return Finding(Verdict.FAILURE, str(error))
        words = output.decode(errors="replace")
        return Finding(Verdict.FAILURE if code else Verdict.SUCCESS, words)

    def _url(self, action: Object) -> URL:
        """The path as it is written, on the pod's host whatever else stands in it."""
        host, port = self._where(action)
        scheme = str(action.get("scheme") or "HTTP").lower()
        said = str(action.get("path") or "/")
        path, _, query = (said if said.startswith("/") else f"/{said}").partition("?")
        safe = {"path": URL.build(path=path).raw_path, "query_string": URL.build(query_string=query).raw_query_string}
        return URL.build(scheme=scheme, host=host, port=port, encoded=True, **safe)

    def _where(self, action: Object) -> tuple[str, int]:
        port = port_number(action["port"], self._container)
        if action.get("host"):
            return str(action["host"]), port
        address = self._address(port)
        return address.host, address.port


def port_number(port: int | str, container: Object) -> int:
    """The number of a port that may be named after one of the container's; raises PortNotFound."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for each in container.get("ports") or []:
        if each.get("name") == port:
            return int(each["containerPort"])
    raise PortNotFound(f"couldn't find port: {port} in container {container['name']}")


def _words_of(error: OSError) -> str:
    """The system's words, which asyncio and aiohttp hide behind their own."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _headers(action: Object, purpose: str) -> dict[str, str]:
    said = {"User-Agent": _AGENT.replace("probe", purpose), "Accept": "*/*"}
    return said | {each["name"]: each.get("value", "") for each in action.get("httpHeaders") or []}
