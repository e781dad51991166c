"""`tritonserver` of the demo: one model on ONNX Runtime, started with Triton's own command line behind our options.

A pod that is a process has no /mnt/models, so where its model lies is said by an option of ours.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from aiop.cli.demo.modelserver.app import application
from aiop.cli.demo.modelserver.errors import ModelServerError
from aiop.cli.demo.modelserver.model import Model, load

_LOG = logging.getLogger("modelserver")
# Under the usual grace of 30 s: what is in progress may end, then the process does.
_DRAIN_SECONDS = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT: 0; 1 if the model or the address cannot be had, with the cause as last line."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        model = load(options.model_folder, options.model_name)
        if options.pid_file is not None:
            options.pid_file.write_text(f"{os.getpid()}\n")
        with ThreadPoolExecutor(max_workers=1) as executor:
            asyncio.run(
                _serve(application(model, executor), options.http_address, _port(options.http_port), _words(model))
            )
    except ModelServerError as error:
        _LOG.error("error: %s", error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelserver", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model-folder", type=Path, required=True, help="<number>/model.onnx is in it")
    parser.add_argument("--model-name", required=True, help="what clients call it")
    parser.add_argument("--http-address", default="127.0.0.1", help="where to listen")
    parser.add_argument("--pid-file", type=Path, help="gets the number of this process")
    parser.add_argument("command", nargs="?", help="tritonserver, taken as it comes; its options follow")
    parser.add_argument("--http-port", type=int, default=8000, help="the V2 protocol's port, as the pod lists it")
    for name in ("--model-repository", "--grpc-port", "--metrics-port"):
        parser.add_argument(name, help="taken and not used")
    return parser


def _port(listed: int) -> int:
    """Where a pod has no address of its own, the cluster gives it another port for the one that it lists."""
    return int(os.environ.get(f"AIOP_PORT_{listed}", listed))


def _words(model: Model) -> str:
    return f"{model.name} {model.version}, a stand-in for BERT"


async def _serve(app: web.Application, address: str, port: int, what: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        _LOG.info("%s, is served at http://%s:%d", what, address, port)
        await stop.wait()
        _LOG.info("stopping: what is in progress is answered")
    except OSError as error:
        message = f"cannot listen on {address}:{port}: {os.strerror(error.errno) if error.errno else error}"
        raise ModelServerError(message) from error
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
