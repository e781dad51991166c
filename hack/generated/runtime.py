"""The reference page of `aiop.runtime`, from its docstrings and from the tests that hold it to its promises."""

import ast
from pathlib import Path

from hack.generated.marks import Marked, marked

_ROOT = Path(__file__).parents[2]
_RUNTIME = _ROOT / "src" / "aiop" / "runtime"
# From the storey's roof to its ground, as imports run.
_ROOMS = (
    ("manager", "The life of a process: start, leadership, stop, health, metrics, logs."),
    ("controller", "From changes to passes, and from a pass to children."),
    ("leaderelection", "Who may write, and until when."),
    ("conditions", "What an object says of itself: conditions, one status write a pass, events."),
    ("informer", "Caches that follow the API server."),
    ("workqueue", "Which key is next."),
    ("views", "Frozen read views of what is cached."),
    ("client", "Requests, answers and failures."),
    ("kit", "Time, back-off and tasks; nothing of Kubernetes."),
)
_INTRODUCTION = """# The runtime

`aiop.runtime` is the storey that knows Kubernetes and nothing of AI.
[Write a controller](../how-to/write-a-controller.md) shows it in 60 lines. This page is what its docstrings promise,
room by room, and after them the contract: each promise with the tests that hold the runtime to it.
"""


def runtime_page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for room, purpose in _ROOMS:
        parts.append(f"## {room}\n\n{purpose}\n")
        parts += [_module(path) for path in sorted((_RUNTIME / room).glob("*.py")) if path.name != "__init__.py"]
    return "\n".join([*parts, _contract()])


def promises(root: Path = _ROOT) -> list[Marked]:
    """Every test that is marked as holding a line of the contract, in the order of files and lines."""
    return marked(root, "promise")


def _contract() -> str:
    found = promises()
    rows = ["| line | promise | test |", "|---|---|---|"]
    for line in sorted({line for promise in found for line in promise.arguments}, key=_order):
        rows += [f"| {line} | {promise.words} | `{promise.path}` |" for promise in found if line in promise.arguments]
    head = "## The contract\n\nLines with an S are guarantees, the others are tests of single cases.\n\n"
    return head + "\n".join(rows) + "\n"


def _order(line: str) -> tuple[bool, int]:
    return not line.startswith("S"), int(line.removeprefix("S"))


def _module(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = f"aiop.runtime.{path.parent.name}.{path.stem}"
    parts = [f"### `{name}`", "", _words(tree), ""]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            parts += _class(node)
        elif _is_public_function(node):
            parts += [f"**`{_signature(node)}`**", "", _words(node), ""]
    return "\n".join(parts)


def _class(node: ast.ClassDef) -> list[str]:
    bases = [ast.unparse(base) for base in node.bases]
    kind = f", a {', '.join(bases)}" if bases else ""
    parts = [f"**class `{node.name}{_made_with(node)}`**{kind}", "", _words(node), ""]
    members = [member for member in node.body if _is_public_function(member)]
    parts += [f"- `{_signature(member)}`: {_indented(_words(member))}" for member in members]
    return [*parts, ""] if members else parts


def _made_with(node: ast.ClassDef) -> str:
    """The arguments of its constructor, written by hand or made from its fields."""
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return f"({_arguments(member)})"
    fields = [ast.unparse(member) for member in node.body if isinstance(member, ast.AnnAssign)]
    return f"({', '.join(fields)})" if fields else ""


def _is_public_function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")


def _signature(node: ast.stmt) -> str:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise TypeError(ast.dump(node))
    marks = {ast.unparse(mark) for mark in node.decorator_list}
    before = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    if "property" in marks:
        return f"{node.name}{_returned(node)}"
    return f"{before}{node.name}({_arguments(node)}){_returned(node)}"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = ast.unparse(node.args)
    for own in ("self, ", "self", "cls, ", "cls"):
        arguments = arguments.removeprefix(own)
    return arguments


def _returned(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""


def _words(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.stmt) -> str:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    return (ast.get_docstring(node) or "").replace("``", "`")


def _indented(text: str) -> str:
    return text.replace("\n\n", "\n").replace("\n", "\n  ")
