"""An operator's process while it waits for the API server."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from support.writeserver import write_kubeconfig

BOUND_SECONDS = 30.0
OPERATOR = """
import sys
from aiop.runtime.manager.process import ProcessOptions, run_process
sys.exit(run_process(ProcessOptions(name="test", kubeconfig=sys.argv[1]), lambda manager, tools: None))
"""


def test_a_stop_before_the_api_server_has_answered_is_a_clean_one(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        deaf.settimeout(BOUND_SECONDS)
        kubeconfig = tmp_path / "kubeconfig"
        write_kubeconfig(kubeconfig, deaf.getsockname()[1])
        process = subprocess.Popen([sys.executable, "-c", OPERATOR, str(kubeconfig)], stdout=subprocess.PIPE)
        try:
            asking, _ = deaf.accept()  # and never answered
            process.send_signal(signal.SIGTERM)
            assert process.wait(BOUND_SECONDS) == 0
            asking.close()
        finally:
            process.kill()
            process.communicate()
