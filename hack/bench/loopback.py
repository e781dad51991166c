"""Pods read over a loopback socket from another process: events a second, and a long list's time and memory."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hack.bench.figures import Figure, in_figures, scaled
from hack.bench.kopfenvironment import ensure_kopf, kopf_version
from hack.bench.meter import Reading, understood
from hack.controlplane.processes import Component, wait_until

_HERE = Path(__file__).parents[2]
# Each pod is added and then modified four times: 50,000 events.
_PODS, _VERSIONS = 10_000, 5
# The others take so much longer for an event that fewer tell as well.
_MODEL_EVENTS, _KOPF_EVENTS = 5_000, 5_000
_LISTED = 50_000
_KIB, _MIB = 1024, 1024 * 1024
_BY_PAGES = "by pages of 500"
# A component runs in its own folder; `env` makes way for what it starts.
_SERVER = ("env", f"PYTHONPATH={_HERE}", sys.executable, "-m", "hack.bench.server")
# Making 50,000 pods takes some seconds; the models take more than a minute to read them.
_START_SECONDS, _READ_SECONDS = 120.0, 900.0


@dataclass(frozen=True, slots=True)
class _Served:
    """A running server: its kubeconfig, and what it has been asked so far."""

    kubeconfig: Path
    log: Path

    def asked(self, words: str) -> bool:
        """True if a request's line had these words."""
        return words in self.log.read_text()


def measure_loopback(scale: float) -> list[Figure]:
    """Events a second of processor time: ours, kubernetes-asyncio's models' and kopf's, over the same server."""
    pods = scaled(_PODS, scale)
    events = pods * _VERSIONS
    few, some = min(events, scaled(_MODEL_EVENTS, scale)), min(pods, scaled(_KOPF_EVENTS, scale))
    kopf = ensure_kopf()
    with _server("--watched", str(pods), "--versions", str(_VERSIONS)) as served:
        ours = _read(sys.executable, "reader", "informer", "watch", served.kubeconfig, events)
        models = _read(sys.executable, "reader", "models", "watch", served.kubeconfig, few)
        kopfs = _read(str(kopf), "kopfreader", served.kubeconfig, some)
    how = "plain HTTP on loopback from another process, Pods of 7 KB, by the processor time of the reading process"
    asyncio_name = f"kubernetes-asyncio {version('kubernetes-asyncio')}'s models"
    return [
        Figure("events a second and core over loopback", _rate(ours), "events/s", _how(how, ours), at_least=20_000),
        Figure("… by the clock", ours.objects / ours.wall_seconds, "events/s", "the same run"),
        Figure(f"… by {asyncio_name}", _rate(models), "events/s", _how("its own `Watch.stream`", models)),
        Figure("… of which ours is so many times", _rate(ours) / _rate(models), "times", "of the two"),
        Figure(f"… by kopf {kopf_version()}", _rate(kopfs), "events/s", _how("an event handler that counts", kopfs)),
        Figure("… of which ours is so many times", _rate(ours) / _rate(kopfs), "times", "of the two"),
    ]


def measure_list(scale: float) -> list[Figure]:
    """Seconds and memory for a long list: ours as it reads by itself and by pages, and the generated models'."""
    count = scaled(_LISTED, scale)
    with _server("--listed", str(count)) as served:
        ours = _read(sys.executable, "reader", "informer", "list", served.kubeconfig, count)
        streamed = served.asked("sendInitialEvents=true")
        models = _read(sys.executable, "reader", "models", "list", served.kubeconfig, count)
    figures = _list_figures(f"list of {count:,} pods", "streamed" if streamed else _BY_PAGES, ours)
    if streamed:
        with _server("--listed", str(count), "--no-streamed-lists") as served:
            paged = _read(sys.executable, "reader", "informer", "list", served.kubeconfig, count)
        figures += _list_figures("the same list from a server that does not stream it", _BY_PAGES, paged)
    return figures + _list_figures("the same list by kubernetes-asyncio's models", f"{_BY_PAGES}, into a dict", models)


def _list_figures(name: str, way: str, reading: Reading) -> list[Figure]:
    how = f"{way}, plain HTTP on loopback from another process; {in_figures(reading.cpu_seconds)} s of processor time"
    each = f"{reading.peak / reading.objects / _KIB:.1f} KiB each"
    peak = f"resident, above what the process had before; all pods are in it, {each}"
    return [
        Figure(f"{name}: until synced", reading.wall_seconds, "s", how),
        Figure("… peak memory", reading.peak / _MIB, "MiB", peak),
    ]


def _rate(reading: Reading) -> float:
    return reading.objects / reading.cpu_seconds


def _how(how: str, reading: Reading) -> str:
    return f"{how}; {reading.objects:,} events in {in_figures(reading.cpu_seconds)} s"


@contextmanager
def _server(*arguments: str) -> Iterator[_Served]:
    with tempfile.TemporaryDirectory(prefix="aiop-bench-") as name:
        folder = Path(name)
        kubeconfig = folder / "kubeconfig"
        server = Component("server", [*_SERVER, "--kubeconfig", str(kubeconfig), *arguments], folder)
        try:
            wait_until(kubeconfig.exists, [server], _START_SECONDS)
            yield _Served(kubeconfig, server.log)
        finally:
            server.stop(1.0)


def _read(python: str, module: str, *arguments: object) -> Reading:
    command = [python, "-m", f"hack.bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=_HERE, check=True, stdout=subprocess.PIPE, text=True, timeout=_READ_SECONDS)
    return understood(done.stdout)
