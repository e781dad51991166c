"""What is wrong with a shell block of a page: commands, options, files and targets that do not exist."""

import contextlib
import importlib.util
import io
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from aiop.cli.main import COMMANDS, build_parser
from aiop.sim.server.kinds import BUILTIN_KINDS
from hack.helm import ensure_helm
from support.manifestfaults import OURS, faults_of
from support.pagemanifests import CHART, KUBECTL, values_faults, yaml_faults
from support.pages import ROOT, Block

SHELLS = frozenset({"sh", "bash", "console"})
# What every machine has; nothing of it is ours to check.
_PLAIN = frozenset(
    {"cd", "cat", "curl", "diff", "echo", "export", "git", "grep", "head", "jq", "pipx", "sed", "sort", "tail", "tee"}
)
_PREFIX = "$ "
_REFUSED = "is invalid: "
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(?P<end>\w+)\1[^\n]*\n(?P<body>.*?)^\s*(?P=end)$", re.DOTALL | re.MULTILINE)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)
_VARIABLE = re.compile(r"^([A-Z_]+) *\??=", re.MULTILINE)
_SEPARATORS = frozenset({"|", "||", "&&", ";", "&", "|&"})
_REDIRECTIONS = frozenset({">", ">>", "<"})
# Commands of kubectl that have commands of their own.
_GROUPS = frozenset({"auth", "config", "create", "rollout", "set", "top"})


def shell_faults(block: Block) -> list[str]:
    """Why one of its commands would not work; empty if all would, as far as can be seen without a cluster."""
    text = "\n".join(_typed(block)) + "\n"
    bodies = [match["body"] for match in _HEREDOC.finditer(text)]
    text = _HEREDOC.sub(" -\n", text)
    inner = [match[1] for match in _SUBSTITUTION.finditer(text)]
    commands = [words for each in [_SUBSTITUTION.sub("substituted", text), *inner] for words in _commands(each)]
    found = [fault for body in bodies for fault in yaml_faults(body)]
    found += [fault for words in commands for fault in _command_faults(words)]
    # A page may show what is refused; then the refusal stands under the command.
    return [] if _REFUSED in block.text and block.language == "console" else found


def _typed(block: Block) -> Iterator[str]:
    """What a person types, prompts and answers left out."""
    lines = block.text.splitlines()
    if block.language != "console":
        yield from lines
        return
    goes_on = False
    for line in lines:
        if goes_on or line.startswith(_PREFIX):
            yield line.removeprefix(_PREFIX)
            goes_on = line.endswith("\\")


def _commands(text: str) -> Iterator[list[str]]:
    """Every single command, as its words; assignments before it and redirections left out."""
    for line in text.replace("\\\n", " ").splitlines():
        reader = shlex.shlex(line, posix=True, punctuation_chars=True)
        reader.whitespace_split = True
        words: list[str] = []
        for word in [*reader, ";"]:
            if word not in _SEPARATORS:
                words.append(word)
                continue
            command = list(_without_redirections(words))
            while command and _ASSIGNMENT.match(command[0]):
                command = command[1:]
            if command:
                yield command
            words = []


def _without_redirections(words: Sequence[str]) -> Iterator[str]:
    before = ""
    for word in words:
        if word not in _REDIRECTIONS and before not in _REDIRECTIONS:
            yield word
        before = word


def _command_faults(words: list[str]) -> list[str]:
    checks: dict[str, Callable[[list[str]], Iterator[str]]] = {
        "aiop": _aiop, "helm": _helm, "kubectl": _kubectl, "make": _make, "python": _python,
    }  # fmt: skip
    program = words[0]
    if program not in checks and program not in _PLAIN and program != "docker":
        return [f"{program} is no program that the pages use"]
    found = list(_missing_files(words))
    return found + list(checks[program](words[1:])) if program in checks else found


def _missing_files(words: Sequence[str]) -> Iterator[str]:
    """Words that look like a path of the repository and are none."""
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for word in words:
        path = word.rpartition("=")[2] if word.startswith("-") else word
        first, slash, _ = path.removeprefix("./").partition("/")
        if slash and first in tops and not (ROOT / path).exists() and first != "build":
            yield f"there is no {path}"


def _aiop(words: list[str]) -> Iterator[str]:
    said = io.StringIO()
    command = next((word for word in words if word in COMMANDS), "")
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            build_parser(command).parse_args(words)
    except SystemExit as ended:
        if ended.code:
            yield said.getvalue()


def _python(words: list[str]) -> Iterator[str]:
    if words[:1] == ["-m"] and importlib.util.find_spec(words[1]) is None:
        yield f"there is no module {words[1]}"


def _make(words: list[str]) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets, variables = set(_TARGET.findall(makefile)), set(_VARIABLE.findall(makefile))
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in (variables if equals else targets):
            yield f"the Makefile has no {name}"


def _helm(words: list[str]) -> Iterator[str]:
    known = _options(str(ensure_helm()), words[0])
    yield from (f"helm {words[0]} has no {option}" for option in _given(words) if option not in known)
    if str(CHART.relative_to(ROOT)) in words:
        yield from values_faults(*_values_given(words))


def _values_given(words: list[str]) -> Iterator[str]:
    """The values of an install or upgrade, as `helm template` takes them; files that the reader writes left out."""
    options = ("--set", "--set-string", "--set-json")
    for option, value in itertools.pairwise(words):
        if option in options:
            yield from (option, value)
    yield from (word for word in words if word.startswith(tuple(f"{option}=" for option in options)))


def _kubectl(words: list[str]) -> Iterator[str]:
    verbs = _verbs(words)
    known = _options(str(KUBECTL), *verbs) | _options(str(KUBECTL), "options")
    yield from (f"kubectl {' '.join(verbs)} has no {option}" for option in _given(words) if option not in known)
    yield from _unknown_kinds(words)
    for option, value in itertools.pairwise(words):
        if option in {"-p", "--patch"}:
            yield from _patch_faults(words, value)


def _verbs(words: list[str]) -> list[str]:
    bare = [word for word in _without_options(words) if not word.startswith("-")]
    deep = 3 if bare[:2] == ["create", "secret"] else 2
    return bare[:deep] if bare[0] in _GROUPS else bare[:1]


def _without_options(words: list[str]) -> Iterator[str]:
    """The words before the command may be options with a value: -n NAMESPACE, --context NAME."""
    before = ""
    for word in words:
        if not word.startswith("-") and before not in {"-n", "--namespace", "--context", "--kubeconfig"}:
            yield word
        before = word


_WITH_KIND = frozenset({"get", "describe", "delete", "patch", "edit", "label", "annotate", "scale", "wait", "explain"})

_WITHOUT_KIND = frozenset({"-f", "-k", "--filename", "--kustomize", "--raw"})


def _unknown_kinds(words: list[str]) -> Iterator[str]:
    bare = list(_without_options(words))
    if bare[0] in _WITH_KIND and len(bare) > 1 and not _WITHOUT_KIND & set(words):
        for kind in bare[1].split(","):
            name = kind.partition("/")[0].lower()
            name = name.partition(".")[0] if bare[0] == "explain" else name
            if name not in _kinds():
                yield f"there is no kind {name}"


@cache
def _kinds() -> frozenset[str]:
    """Every name under which kubectl finds a kind that pages speak of."""
    others = {"all", "node", "clusterrole", "resourcequota", "quota", "limitrange", "networkpolicy", "apiservice"}
    plurals = {"resourcequotas", "limitranges", "networkpolicies", "flowschemas", "apiservices"}
    plurals |= {"servicemonitors", "podmonitors", "prometheusrules"}  # of the Prometheus operator
    plurals |= {"httproute", "gateways"}  # of the Gateway API
    names = others | plurals
    for kind in [*BUILTIN_KINDS, *OURS.values()]:
        names |= {kind.resource.plural, kind.resource.kind.lower(), kind.qualified, *kind.short_names, *kind.categories}
    return frozenset(names)


def _patch_faults(words: list[str], patch: str) -> Iterator[str]:
    """A patch of ours must leave an object that is accepted."""
    try:
        change = json.loads(patch)
    except ValueError as error:
        yield f"{patch} is no JSON: {error}"
        return
    if list(_without_options(words))[1].partition("/")[0] in {"aiworkload", "aiworkloads", "aiw"}:
        spec = {"modelName": "m", "framework": "ONNX", **change.get("spec", {})}
        sample = {"apiVersion": "geartickler.com/v1alpha1", "kind": "AIWorkload", "metadata": {"name": "a"}}
        yield from faults_of({**sample, **change, "spec": spec})


def _given(words: Sequence[str]) -> Iterator[str]:
    """The options among ``words``, without their values; what stands after `--` is another program's."""
    for word in words:
        if word == "--":
            return
        if _OPTION.match(word) and not word.startswith("-/"):
            yield word.partition("=")[0]


@cache
def _options(program: str, *command: str) -> frozenset[str]:
    """The options that a program's help names for a command."""
    arguments = [*command] if command == ("options",) else [*command, "--help"]
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return frozenset(_OPTION.findall(done.stdout))
