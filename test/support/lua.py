"""Lua 5.1, the language of Argo CD's health checks, run for real in an environment of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any

from hack.environments import ensure_environment

# `obj` is a global, and what the script returns is the answer: this is how Argo CD calls it.
_RUNNER = """
import json, sys
from lupa.lua51 import LuaRuntime
script, objects = json.load(sys.stdin)
answers = []
for each in objects:
    lua = LuaRuntime(register_eval=False, register_builtins=False, unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(each, recursive=True)
    answers.append(dict(lua.execute(script)))
json.dump(answers, sys.stdout)
"""


def run_health_check(script: Path, objects: list[Any]) -> list[dict[str, str]]:
    """What the script answers to each object; fails the test if it raises."""
    command = [str(ensure_environment("lua")), "-c", _RUNNER]
    words = json.dumps([script.read_text(encoding="utf-8"), objects])
    done = subprocess.run(command, input=words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, str]] = json.loads(done.stdout)
    return answers
