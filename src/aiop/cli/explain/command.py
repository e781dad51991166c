"""`aiop explain`: options in, one explanation out."""

import argparse
import asyncio
import json
import os
import sys

from aiop.cli.explain.errors import ExplainError
from aiop.cli.explain.explanation import Explanation, clean
from aiop.cli.explain.failures import told
from aiop.cli.explain.kinds import EXPLAINED
from aiop.cli.explain.reading import Reader
from aiop.cli.explain.rendering import lines_of, wants_colour
from aiop.cli.explain.session import Session, session_of
from aiop.cli.explain.target import Target, target_of
from aiop.cli.options import namespace
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock

# Where the pages on installing put it.
_SYSTEM = "aiop-system"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The object, and kubectl's own options."""
    parser.add_argument("object", nargs="+", metavar="TYPE/NAME", help="the object, or TYPE NAME; aiw is an AIWorkload")
    parser.add_argument("--kubeconfig", help="a kubeconfig; default: $KUBECONFIG, else ~/.kube/config")
    parser.add_argument("--context", help="a context of the kubeconfig; default: its current one")
    parser.add_argument("-n", "--namespace", type=namespace, help="the object's namespace; default: the context's")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text", help="for people, or for machines")
    parser.add_argument(
        "--operator-namespace",
        type=namespace,
        default=_SYSTEM,
        help="where the operator's Lease lies, by which it is seen to run if you may read it",
    )
    parser.epilog = f"Example: {parser.prog} aiworkload/bert-sentiment"
    parser.set_defaults(program=parser.prog)


def run(options: argparse.Namespace) -> int:
    """Explain one object; 0 if it is healthy or its state explained, 1 if it cannot be read, 2 for a wrong argument."""
    try:
        target = target_of(options.object, list(EXPLAINED))
    except argparse.ArgumentTypeError as error:
        sys.stderr.write(f"{options.program}: error: argument TYPE/NAME: {error}\n")
        return 2
    session = session_of(options.kubeconfig, options.context)
    try:
        asyncio.run(_explain(options, target, session))
    except ExplainError as error:
        sys.stderr.write(f"{options.program}: {clean(str(error))}\n")
        return 1
    return 0


async def _explain(options: argparse.Namespace, target: Target, session: Session) -> None:
    key, host = ObjectKey(options.namespace or session.namespace, target.name), ""
    try:
        connection = await load_connection(options.kubeconfig, options.context)
        host = connection.host
        async with Client(HttpTransport(connection), clock=SystemClock()) as client:
            explain = EXPLAINED[target.resource]
            found = await explain(client, Reader(client), key, options.operator_namespace)
            _show(found, client, as_json=options.output == "json")
    except ClientError as error:
        raise told(error, target, key.namespace, session, host) from error


def _show(found: Explanation, client: Client, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
        return
    colour = wants_colour(sys.stdout, os.environ)
    sys.stdout.writelines(f"{line}\n" for line in lines_of(found, client.server_clock.now(), colour=colour))
