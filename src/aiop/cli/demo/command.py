"""`aiop demo`: options, and the order in which things happen."""

import argparse
import asyncio
import random
import shlex
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from aiop.api.resources import AIWORKLOADS
from aiop.cli.demo.board import Row, all_ready, row_of, table_of
from aiop.cli.demo.clusters import CLUSTERS, connect
from aiop.cli.demo.errors import DemoError
from aiop.cli.demo.installing import install_definitions, install_samples
from aiop.cli.demo.operator import OperatorProcess
from aiop.cli.options import seconds
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ClientError
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views.custom import CustomObject, decode_custom

# Where the samples' models are said to lie; in the demo nobody reads them.
_MODEL_STORE = "pvc://models"
_REFRESH_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The demo's options."""
    parser.add_argument(
        "--cluster",
        choices=sorted(CLUSTERS),
        default="embedded",
        help="embedded: in this process; real: the real control plane; current: your kubeconfig's",
    )
    parser.add_argument("--namespace", default="default", help="where the samples go")
    parser.add_argument("--once", action="store_true", help="end when all are Ready: 0, or 1 if they are not in time")
    parser.add_argument("--timeout", type=seconds, default=120.0, help="with --once: seconds to wait")


def run(options: argparse.Namespace) -> int:
    """Run the demo; 0 if all became Ready, 1 if not."""
    console = Console()
    try:
        return asyncio.run(_run(options, console))
    except (DemoError, ClientError, OSError) as error:
        console.print(f"[red]The demo ends:[/red] {escape(str(error))}", highlight=False)
        return 1


async def _run(options: argparse.Namespace, console: Console) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiop-demo-")))
        console.print(f"Starting the {options.cluster} cluster …", highlight=False)
        kubeconfig = await stack.enter_async_context(CLUSTERS[options.cluster](folder))
        client = await stack.enter_async_context(await connect(kubeconfig))
        await install_definitions(client)
        operator = OperatorProcess(kubeconfig, folder / "operator.log", arguments=["--model-store", _MODEL_STORE])
        stack.push_async_callback(operator.stop)
        await operator.start()
        volumes = options.cluster == "real"
        names = await install_samples(client, options.namespace, volumes=volumes)
        ready = await _show(options, console, stop, client, operator, names)
        if options.once or stop.is_set():
            return 0 if ready else 1
        next_steps = _what_next(kubeconfig, options.namespace, operator.metrics_url, names[0])
        console.print(next_steps, highlight=False, markup=False, soft_wrap=True)
        await _stay(stop, operator)
        return 0


async def _show(
    options: argparse.Namespace,
    console: Console,
    stop: asyncio.Event,
    client: Client,
    operator: OperatorProcess,
    names: Sequence[str],
) -> bool:
    """Draw the table until all are Ready; False if stopped, or out of time with --once."""
    source = ClientListWatch(client, AIWORKLOADS, namespace=options.namespace)
    informer: StreamInformer[CustomObject] = StreamInformer(
        "demo",
        source,
        decode_custom,
        clock=SystemClock(),
        random=random.Random(),  # noqa: S311 - jitter
    )
    watching = asyncio.create_task(informer.run())
    deadline = asyncio.get_running_loop().time() + options.timeout if options.once else None
    try:
        with Live(console=console, auto_refresh=False) as live:
            while not stop.is_set():
                await operator.check()
                rows = _rows(informer, names)
                live.update(table_of(rows), refresh=True)
                if len(rows) == len(names) and all_ready(rows):
                    return True
                if deadline is not None and asyncio.get_running_loop().time() > deadline:
                    return False
                await _pause(stop)
        return False
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def _rows(informer: StreamInformer[CustomObject], names: Sequence[str]) -> list[Row]:
    views = sorted(informer.store.values(), key=lambda view: view.metadata.name)
    return [row_of(view) for view in views if view.metadata.name in names]


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_REFRESH_SECONDS):
            await stop.wait()
    except TimeoutError:
        return


def _what_next(kubeconfig: Path, namespace: str, metrics_url: str, name: str) -> str:
    kubectl = f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} --namespace {shlex.quote(namespace)}"
    patch = """'{"spec":{"modelVersion":"v1.1.0"}}'"""
    return (
        "\nAll are Ready. Try, in another terminal:\n"
        f"  {kubectl} get aiworkloads -w\n"
        f"  {kubectl} patch aiworkload {name} --type merge -p {patch}\n"
        f"  {kubectl} describe aiworkload {name}\n"
        f"  curl {metrics_url}\n"
        "Ctrl-C ends the demo and everything in it."
    )


async def _stay(stop: asyncio.Event, operator: OperatorProcess) -> None:
    while not stop.is_set():
        await operator.check()
        await _pause(stop)
