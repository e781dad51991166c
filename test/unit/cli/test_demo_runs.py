"""The demo on the embedded cluster, from the first word to the last process."""

import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.demoprocess import Demo

SAMPLES = ("bert-sentiment", "iris", "llama")
Start = Callable[..., Demo]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos; whatever happens, none outlives the test."""
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def ready_samples(printed: str) -> list[str]:
    """The names in the last table's rows that say Ready."""
    rows = re.findall(r"│ default/(\S+)\s*│ (True|False|Unknown)\s*│", printed)
    return sorted({name for name, ready in rows if ready == "True"})


def suggested(printed: str, verb: str) -> list[str]:
    """The kubectl line with that verb that the demo suggests, for the kubectl of this environment."""
    line = next(line for line in printed.splitlines() if line.startswith("  kubectl") and f" {verb} " in line)
    return [str(Path(sys.executable).with_name("kubectl")), *shlex.split(line)[1:]]


def output_of(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def nothing_is_left(demo: Demo) -> bool:
    return demo.helpers() == [] and list(demo.temporary.iterdir()) == []


def test_once_it_brings_every_sample_to_ready_and_ends_by_itself(start: Start) -> None:
    demo = start("--once")
    assert demo.ended() == 0, demo.printed
    assert ready_samples(demo.printed) == sorted(SAMPLES)
    assert "Try, in another terminal" not in demo.printed
    assert nothing_is_left(demo)


def test_once_it_ends_with_1_when_the_samples_are_not_ready_in_time(start: Start) -> None:
    demo = start("--once", "--timeout", "0")
    assert demo.ended() == 1
    assert ready_samples(demo.printed) == []
    assert "AIWorkloads" in demo.printed
    assert nothing_is_left(demo)


def test_it_ends_with_1_and_the_servers_words_when_a_sample_is_refused(start: Start) -> None:
    demo = start("--once", "--namespace", "absent")
    assert demo.ended() == 1
    assert "The demo ends:" in demo.printed
    assert 'namespaces "absent" not found' in demo.printed
    assert nothing_is_left(demo)


def test_what_it_suggests_works_and_ctrl_c_ends_it_and_everything_in_it(start: Start) -> None:
    demo = start()
    demo.until("Ctrl-C ends the demo")
    assert len(demo.helpers()) == 1
    listed = output_of([word for word in suggested(demo.printed, "get") if word != "-w"])
    assert [name for name in SAMPLES if not re.search(rf"^{name} +True ", listed, re.MULTILINE)] == []
    assert "patched" in output_of(suggested(demo.printed, "patch"))
    assert "Kind:         AIWorkload" in output_of(suggested(demo.printed, "describe"))
    url = next(line.split()[1] for line in demo.printed.splitlines() if line.startswith("  curl "))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http on loopback
        assert b"controller_runtime_reconcile_total" in answer.read()
    assert demo.interrupt() == 0, demo.printed
    assert "Traceback" not in demo.printed
    assert nothing_is_left(demo)


def test_ctrl_c_before_all_are_ready_ends_it_and_everything_in_it(start: Start) -> None:
    demo = start()
    demo.until("Starting the embedded cluster")
    assert demo.interrupt() == 1, demo.printed
    assert "Traceback" not in demo.printed
    assert nothing_is_left(demo)
