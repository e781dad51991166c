"""`aiop demo`: options, and the order in which things happen."""

import argparse
import asyncio
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog
from rich.console import Console
from rich.markup import escape

from aiop.cli.demo.clusters import CLUSTERS, connect
from aiop.cli.demo.console import DemoConsole
from aiop.cli.demo.ending import Ending
from aiop.cli.demo.errors import DemoError
from aiop.cli.demo.installing import install_definitions, install_samples
from aiop.cli.demo.operator import OperatorProcess
from aiop.cli.demo.pods import MODEL_CLAIM
from aiop.cli.demo.show import Show
from aiop.cli.demo.story.live import HERO, LiveStage, Setting
from aiop.cli.demo.story.steps import ON_CURRENT, ON_EMBEDDED, ON_REAL, Step
from aiop.cli.demo.undisturbed import undisturbed
from aiop.cli.options import seconds
from aiop.runtime.client.errors import ClientError
from aiop.sim.processes.folder import Folder

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Story:
    """The steps that a cluster can show, and what is left out there."""

    steps: Sequence[Step]
    left_out: str = ""


_STORIES: Mapping[str, _Story] = {
    "embedded": _Story(ON_EMBEDDED),
    "real": _Story(
        ON_REAL, "Left out: predictions, load and faults. The pods of this cluster are played, so no model is in them."
    ),
    "current": _Story(
        ON_CURRENT, "Left out: everything that changes your cluster further, and predictions, whose model is not in it."
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The demo's options."""
    parser.add_argument(
        "--cluster",
        choices=sorted(CLUSTERS),
        default="embedded",
        help="embedded: in this process; real: the real control plane; current: your kubeconfig's",
    )
    parser.add_argument("--namespace", default="default", help="where the samples go")
    parser.add_argument(
        "--once", action="store_true", help="end after the last step: 0, or 1 if a step or a request has failed"
    )
    parser.add_argument("--step", action="store_true", help="wait for Enter before each step")
    parser.add_argument("--timeout", type=seconds, default=120.0, help="with --once: seconds that a step may take")


def run(options: argparse.Namespace) -> int:
    """Run the demo; 0 if every step came to its end and no request failed, 1 if not.

    Ctrl-C ends it with 130 while the story is told, afterwards with what the story came to; SIGTERM and a closed
    terminal end it with 143 and 129.
    """
    console = DemoConsole()
    try:
        return asyncio.run(_until_told(options, console))
    except BrokenPipeError:  # nobody reads any more
        raise
    except (DemoError, ClientError, OSError) as error:
        console.print(f"[red]The demo ends:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1


async def _until_told(options: argparse.Namespace, console: Console) -> int:
    ending = Ending()
    ending.listen()
    try:
        return await _run(options, console, ending)
    except (asyncio.CancelledError, DemoError, ClientError, OSError):
        if ending.code is None:
            raise
        return ending.code


async def _run(options: argparse.Namespace, console: Console, ending: Ending) -> int:
    async with AsyncExitStack() as stack:
        kept = Folder(Path(tempfile.gettempdir()), "aiop-demo")
        stack.push_async_callback(kept.close)
        await undisturbed(kept.open())
        folder = kept.path
        # What libraries write, such as a client's key, goes the same way.
        tempfile.tempdir = str(folder)
        log = stack.enter_context(await asyncio.to_thread((folder / "cluster.log").open, "w"))
        # The view is for the story; what the cluster's parts have to say beside it is kept out of it.
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log))
        console.print(f"Starting the {options.cluster} cluster …", highlight=False)
        cluster = await stack.enter_async_context(CLUSTERS[options.cluster](folder))
        client = await stack.enter_async_context(await connect(cluster.kubeconfig))
        await install_definitions(client)
        arguments = ["--model-store", f"pvc://{MODEL_CLAIM}"]
        operator = OperatorProcess(cluster.kubeconfig, folder / "operator.log", arguments=arguments)
        stack.push_async_callback(operator.stop)
        await operator.start()
        names = await install_samples(client, options.namespace, volumes=options.cluster == "real")
        patience = options.timeout if options.once else None
        stage = LiveStage(Setting(cluster, client, options.namespace, names, patience), operator.check)
        await stack.enter_async_context(stage.open())
        good = await Show(console, stage, step_by_step=options.step).run(_STORIES[options.cluster].steps)
        ending.code_of_ctrl_c = 0 if good else 1
        _tell_the_end(console, options, stage)
        if not options.once:
            next_steps = _what_next(cluster.kubeconfig, options.namespace, await operator.metrics_url(), stage.url)
            console.print(next_steps, highlight=False, markup=False, soft_wrap=True)
            await _stay(operator)
        return ending.code_of_ctrl_c


def _tell_the_end(console: Console, options: argparse.Namespace, stage: LiveStage) -> None:
    left_out = _STORIES[options.cluster].left_out
    if left_out:
        console.print(left_out, highlight=False)
    if stage.load.answered or stage.load.failed:
        console.print(f"Requests: {stage.load.answered} answered, {stage.load.failed} failed.", highlight=False)
    if stage.load.first_failure:
        console.print(f"The first that failed: {stage.load.first_failure}", highlight=False, markup=False)


def _what_next(kubeconfig: Path, namespace: str, metrics_url: str, url: str) -> str:
    where = f"--kubeconfig {shlex.quote(str(kubeconfig))} --namespace {shlex.quote(namespace)}"
    kubectl, aiop = f"kubectl {where}", shlex.quote(str(Path(sys.executable).with_name("aiop")))
    patch = """'{"spec":{"modelVersion":"v1.0.0"}}'"""
    asked = f"""  curl {url} -d '{{"text": "I like it"}}'\n""" if url else ""
    measured = f"  curl {metrics_url}\n" if metrics_url else ""
    return (
        "\nYours now. Try, in another terminal:\n"
        f"{asked}"
        f"  {kubectl} get aiworkloads -w\n"
        f"  {kubectl} patch aiworkload {HERO} --type merge -p {patch}\n"
        f"  {kubectl} describe aiworkload {HERO}\n"
        f"  {aiop} explain aiworkload/{HERO} {where}\n"
        f"{measured}"
        "Ctrl-C ends the demo and everything in it."
    )


async def _stay(operator: OperatorProcess) -> NoReturn:
    while True:
        await operator.check()
        await asyncio.sleep(_PAUSE_SECONDS)
