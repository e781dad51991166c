"""`tritonserver` of the demo: the same arguments, one model, ONNX Runtime in this process."""

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
        model = load(options.model_repository)
        with ThreadPoolExecutor(max_workers=1) as executor:
            asyncio.run(_serve(application(model, executor), options.http_address, options.http_port, _words(model)))
    except ModelServerError as error:
        _LOG.error("error: %s", error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tritonserver", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model-repository", type=Path, required=True, help="<model>/<number>/model.onnx is in it")
    parser.add_argument("--http-address", default=os.environ.get("POD_IP", "127.0.0.1"), help="where to listen")
    parser.add_argument("--http-port", type=int, default=8000, help="the V2 protocol's port")
    parser.add_argument("--grpc-port", type=int, help="taken and not used: gRPC is not spoken")
    parser.add_argument("--metrics-port", type=int, help="taken and not used")
    return parser


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
