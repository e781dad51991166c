"""Tests by what they are marked with: ``@pytest.mark.NAME(argument, …)`` at a test, its class or its file."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Marked:
    """One test: the mark's arguments as text, its name as words, where it stands."""

    arguments: tuple[str, ...]
    name: str
    path: str

    @property
    def words(self) -> str:
        """The promise that is its name."""
        return self.name.removeprefix("test_").replace("_", " ")


def marked(root: Path, mark: str) -> list[Marked]:
    """Every test that has that mark, in the order of files and lines."""
    files = sorted((root / "test").rglob("test_*.py"))
    return [each for path in files for each in _in_file(path, str(path.relative_to(root)), mark)]


def _in_file(path: Path, name: str, mark: str) -> Iterator[Marked]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    yield from _in_body(body, name, mark, tuple(_of_all(body, mark)))


def _in_body(body: Sequence[ast.stmt], path: str, mark: str, inherited: tuple[str, ...]) -> Iterator[Marked]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _in_body(node.body, path, mark, inherited)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = tuple(argument for each in node.decorator_list for argument in _arguments(each, mark))
            if own or inherited:
                yield Marked(tuple(dict.fromkeys(own + inherited)), node.name, path)


def _of_all(body: Sequence[ast.stmt], mark: str) -> Iterator[str]:
    """The arguments in a module's ``pytestmark``."""
    for node in body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            value = node.value
            for each in value.elts if isinstance(value, ast.List) else [value]:
                yield from _arguments(each, mark)


def _arguments(node: ast.expr, mark: str) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == mark:
        yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
