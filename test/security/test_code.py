"""What the operator's own code can do: it opens no file, no address and no template that an object names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "aiop"
# Where what tenants write is read and decided about: nothing in there speaks to anybody or reads anything.
DECIDING = ("api", "controllers", "compat", "integrations")
# Where the operator speaks to the API server and is spoken to.
SPEAKING = ("runtime",)
# Ways to a file, an address, a program or a template; what decides needs none, what speaks these few.
WAYS = {
    *("aiohttp", "requests", "httpx", "socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "telnetlib"),
    *("subprocess", "pty", "shutil", "tempfile", "glob", "fileinput", "mmap", "ctypes"),
    *("pickle", "shelve", "marshal", "jinja2", "mako", "string.Template", "importlib", "runpy", "code"),
}
# Module of ours: which of those it imports, and why it may.
ALLOWED = {
    "runtime/client/transport.py": {"aiohttp"},  # the API server's address
    "runtime/client/unreached.py": {"aiohttp"},  # the errors that it raises
    "runtime/client/sockets.py": {"aiohttp", "socket", "ssl"},
    "runtime/client/connection.py": {"ssl", "urllib.request"},  # the proxies of the environment
    "runtime/manager/servers.py": {"aiohttp"},  # health and metrics
    "runtime/manager/process.py": {"socket"},  # the host's name
}
READING = {"open", "read_text", "read_bytes", "eval", "exec", "compile", "__import__", "system", "popen"}
# The pod's own namespace, a kubeconfig, and what that names: all are the administrator's.
MAY_READ = {
    "runtime/manager/process.py",
    "runtime/client/connection.py",
    "runtime/client/kubeconfigfaults.py",
}


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((SOURCE / folder).rglob("*.py")):
            yield str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Each imported module and name, with all that it is part of: `http.client` is `http` too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return {".".join(name.split(".")[:length]) for name in found for length in range(1, name.count(".") + 2)}


def called(tree: ast.Module) -> set[str]:
    """The names of functions, and of methods of what is no `self`, that are called."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    plain = {func.id for func in calls if isinstance(func, ast.Name)}
    dotted = {func.attr for func in calls if isinstance(func, ast.Attribute)}
    return plain | (dotted - {"open", "compile"})


@pytest.mark.security(12, 13, 15)
def test_what_decides_about_objects_has_no_way_out() -> None:
    found = {name: imported(tree) & WAYS for name, tree in modules(*DECIDING)}
    assert len(found) > 50
    assert {name: ways for name, ways in found.items() if ways} == {}


@pytest.mark.security(12)
def test_what_decides_about_objects_reads_no_file_and_runs_no_text() -> None:
    found = {name: called(tree) & READING for name, tree in modules(*DECIDING)}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.security(12, 13)
def test_what_speaks_has_the_ways_that_it_needs_and_no_more() -> None:
    found = {name: imported(tree) & WAYS for name, tree in modules(*SPEAKING)}
    assert {name: ways for name, ways in found.items() if ways} == ALLOWED


@pytest.mark.security(12)
def test_files_are_read_for_the_connection_and_by_the_process_alone() -> None:
    found = {name for name, tree in modules(*SPEAKING) if called(tree) & READING}
    assert found == MAY_READ
