"""What is wrong with a kubeconfig, with the place and the fix; looked for once it has turned out to be no good.

kubernetes-asyncio reads kubeconfigs; its errors name what its code missed, and not what a person has to change.
"""

import base64
import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from aiop.runtime.client.errors import ConfigurationFailed

_LISTS = ("contexts", "clusters", "users")
_FILES = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key", "tokenFile")}
_EXAMPLE = "like https://10.0.0.1:6443"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A named context, cluster or user, and the file it stands in."""

    kind: str
    name: str
    content: Mapping[str, Any]
    file: Path

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r}"


def is_whole_url(server: str) -> bool:
    """True for what requests can be sent to: a scheme of HTTP and a host."""
    url = urlsplit(server)
    return url.scheme in {"http", "https"} and bool(url.hostname)


def check_kubeconfig(paths: str, context: str | None, error: BaseException | None) -> None:
    """Raise ConfigurationFailed for the first fault that is seen in the kubeconfig, or in several joined by os.pathsep.

    ``context`` as its reader was told (None: the current one), ``error`` what the reader raised. Reads files, so it
    blocks; reads none that is no ordinary file, since a pipe has been emptied by its reader.
    """
    files = [path for path in (Path(each).expanduser() for each in paths.split(os.pathsep) if each) if path.exists()]
    if not files:
        raise ConfigurationFailed("there is no such file")
    if any(not path.is_file() and not path.is_dir() for path in files):
        return
    several = len(files) > 1
    contents = {path: _content(path, f"{path}: " if several else "") for path in files}
    name = context if context is not None else _current(contents)
    chosen = _chosen("context", name, contents)
    for kind in ("cluster", "user"):
        _check_entry(_named_by(chosen, kind, contents), error)


def _content(path: Path, where: str) -> Mapping[str, Any]:
    if path.is_dir():
        raise ConfigurationFailed(f"{where}it is a folder; name a file in it")
    try:
        content = yaml.safe_load(path.read_bytes().decode())
    except OSError as error:
        raise ConfigurationFailed(f"{where}the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationFailed(f"{where}the file is no text in UTF-8") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigurationFailed(f"{where}the file is no YAML: {_yaml_fault(error)}") from error
    if content is None:
        raise ConfigurationFailed(f"{where}the file is empty")
    if not isinstance(content, dict):
        raise ConfigurationFailed(f"{where}the file is no kubeconfig: it holds no clusters, users and contexts")
    for key in _LISTS:
        _check_list(key, content.get(key) or [], where)
    return content


def _yaml_fault(error: Exception) -> str:
    match error:
        case yaml.MarkedYAMLError(problem=str(problem), problem_mark=yaml.Mark() as mark):
            return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
        case yaml.reader.ReaderError():
            return f"it has the character {chr(error.character)!r}"
        case _:
            return type(error).__name__


def _check_list(key: str, entries: object, where: str) -> None:
    if not isinstance(entries, list):
        raise ConfigurationFailed(f"{where}{key} is no list")
    if not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in entries):
        raise ConfigurationFailed(f"{where}{key} has an entry without a name")


def _current(contents: Mapping[Path, Mapping[str, Any]]) -> str:
    named = [content["current-context"] for content in contents.values() if content.get("current-context")]
    if not named:
        known = ", ".join(entry.name for entry in _entries("context", contents)) or "there are none"
        raise ConfigurationFailed(f"it has no current-context; name one of its contexts: {known}")
    return str(named[-1])


def _chosen(kind: str, name: str, contents: Mapping[Path, Mapping[str, Any]]) -> _Entry:
    found = list(_entries(kind, contents))
    entry = next((each for each in found if each.name == name), None)
    if entry is None:
        known = ", ".join(each.name for each in found) or "none at all"
        raise ConfigurationFailed(f"it has no context {name!r}; it has{'' if not found else ':'} {known}")
    return entry


def _named_by(context: _Entry, kind: str, contents: Mapping[Path, Mapping[str, Any]]) -> _Entry:
    if not context.content:
        raise ConfigurationFailed(f"{context} says nothing: give it a cluster and a user")
    name = context.content.get(kind)
    if not name:
        raise ConfigurationFailed(f"{context} names no {kind}: give it one")
    entry = next((each for each in _entries(kind, contents) if each.name == name), None)
    if entry is None:
        raise ConfigurationFailed(f"{context} names the {kind} {name!r}, which the file does not have")
    return entry


def _entries(kind: str, contents: Mapping[Path, Mapping[str, Any]]) -> Iterator[_Entry]:
    for path, content in contents.items():
        for each in content.get(f"{kind}s") or []:
            found = each.get(kind)
            yield _Entry(kind, each["name"], found if isinstance(found, dict) else {}, path)


def _check_entry(entry: _Entry, error: BaseException | None) -> None:
    _check_files(entry, _FILES[entry.kind])
    if entry.kind == "cluster":
        _check_server(entry)
    elif isinstance(entry.content.get("exec"), dict):
        _check_program(entry, entry.content["exec"], error)


def _check_files(entry: _Entry, fields: Sequence[str]) -> None:
    for field in fields:
        data, file = entry.content.get(f"{field}-data"), entry.content.get(field)
        if data:
            _check_data(entry, f"{field}-data", str(data))
        elif file and not (path := entry.file.parent.absolute() / str(file)).exists():
            raise ConfigurationFailed(f"{entry} names {path} as its {field}, and there is no such file")


def _check_data(entry: _Entry, field: str, data: str) -> None:
    try:
        base64.standard_b64decode(data)  # as its reader does
    except (binascii.Error, ValueError) as error:
        raise ConfigurationFailed(f"the {field} of {entry} is no base64") from error


def _check_server(cluster: _Entry) -> None:
    server = cluster.content.get("server")
    if not server:
        raise ConfigurationFailed(f"{cluster} has no server; give the API server's URL, {_EXAMPLE}")
    if not is_whole_url(str(server)):
        raise ConfigurationFailed(f"{cluster} has the server {server!r}; give a whole URL, {_EXAMPLE}")


def _check_program(user: _Entry, program: Mapping[str, Any], error: BaseException | None) -> None:
    """The program that gives credentials; ``error`` tells how it went."""
    what = f"{user} gets credentials from the program {str(program.get('command'))!r}"
    if isinstance(error, (FileNotFoundError, PermissionError)):
        hint = " ".join(str(program.get("installHint") or "").split())
        lacking = "which is not installed or not on the PATH"
        raise ConfigurationFailed(f"{what}, {lacking}{f': {hint}' if hint else ''}")
    if error is not None and str(error).startswith("exec:"):
        raise ConfigurationFailed(f"{what}, which failed: {' '.join(str(error).split())}")
