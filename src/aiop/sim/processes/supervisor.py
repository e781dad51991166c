"""A program of its own that starts one command, keeps its log, and lets nothing of it outlive whoever asked.

Run by path with a bare interpreter (``python -I -S supervisor.py``), so nothing of aiop is used here, and of the
standard library only what starts quickly. Standard input carries JSON lines: first the order (see ``Order``), then
``{"signal": 15}`` or ``{"kill": true}``. Standard output carries ``{"started": pid}`` or ``{"error": "…"}``, then
``{"exited": code}``.

Promised: when standard input ends, which it does when the asker dies in whatever way, every process that the command
has left is killed; so it is when the command ends. On Linux that holds for grandchildren that have left their session
too, for the supervisor is their subreaper. All are reaped. Not promised: the same elsewhere for a process that has left
its session and whose parent is dead.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import NoReturn, TypedDict

# prctl's numbers, from linux/prctl.h.
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
# What a pipe holds by default.
_PIECE = 65536
# A line longer than this is kept in parts, as container runtimes do.
_LONGEST_LINE = 16384
# How often it is asked whether the asker still lives, should somebody else have inherited the pipe.
_LOOK_SECONDS = 2.0
# What is killed is gone within microseconds; between two looks others may run.
_KILL_SECONDS = 0.005
# A process outside our reach may hold the pipes open; what is in them is read for this long after the end.
_DRAIN_SECONDS = 1.0
# What is told of a command's name; longer than any that can be started (PATH_MAX).
_LONGEST_NAME = 4096
_LINUX = sys.platform == "linux"


class Order(TypedDict):
    """What to run: ``log`` is a file, or empty where ``streams`` names three inherited descriptors instead."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    log: str
    log_bytes: int
    streams: list[int]
    terminal: bool


class Log:
    """Lines as container runtimes write them: time, stream, F for a whole line or P for a part, text.

    One former file is kept, with ``.1`` behind its name, so a log takes at most about twice ``limit`` bytes.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._rest = {b"stdout": b"", b"stderr": b""}
        self._open()

    def take(self, stream: bytes, data: bytes) -> None:
        """Write the whole lines of it, and keep the rest until more comes."""
        *lines, rest = (self._rest[stream] + data).split(b"\n")
        head = _stamp() + b" " + stream + b" "
        written = [head + part for line in lines for part in _parts(line)]
        while len(rest) > _LONGEST_LINE:
            written.append(head + b"P " + rest[:_LONGEST_LINE])
            rest = rest[_LONGEST_LINE:]
        self._rest[stream] = rest
        self._write(written)

    def end(self) -> None:
        """Write what has no newline."""
        self._write([b"%s %s P %s" % (_stamp(), stream, rest) for stream, rest in self._rest.items() if rest])
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    def _write(self, lines: list[bytes]) -> None:
        """A full disk costs lines of the log, not the container."""
        data = b"".join(line + b"\n" for line in lines)
        with contextlib.suppress(OSError):
            while data:
                written = os.write(self._file, data)
                self._size += written
                data = data[written:]
        if self._size > self._limit:
            self._rotate()

    def _rotate(self) -> None:
        """Until a new file can be made the former one goes on."""
        former = self._file
        with contextlib.suppress(OSError):
            os.replace(self._path, self._path + ".1")  # noqa: PTH105 - pathlib takes too long to import
        with contextlib.suppress(OSError):
            self._open()
            os.close(former)


def _stamp() -> bytes:
    now = time.time_ns()
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    return f"{second}.{now % 10**9:09d}Z".encode()


def _parts(line: bytes) -> Iterator[bytes]:
    while len(line) > _LONGEST_LINE:
        yield b"P " + line[:_LONGEST_LINE]
        line = line[_LONGEST_LINE:]
    yield b"F " + line


def descendants() -> list[int]:
    """Every process under this one, zombies too."""
    children: dict[int, list[int]] = {}
    for pid, parent in _everybody():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    new = children.get(os.getpid(), [])
    while new:
        found += new
        new = [child for pid in new for child in children.get(pid, [])]
    return found


def _everybody() -> Iterator[tuple[int, int]]:
    """(process, its parent) of every process of this machine."""
    if not _LINUX:
        with os.popen("ps -axo pid=,ppid=") as listed:  # noqa: S605, S607 - nothing of a pod's is in it
            for line in listed:
                pid, parent = line.split()
                yield int(pid), int(parent)
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 - as above
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                yield int(name), int(file.read().rpartition(b")")[2].split()[1])


class Supervisor:
    """One command and everything that comes from it."""

    def __init__(self, order: Order, heard: bytes = b"") -> None:
        self._order = order
        self._log = Log(order["log"], order["log_bytes"]) if order["log"] else None
        self._asker = os.getppid()
        self._selector = selectors.DefaultSelector()
        self._pipes: set[int] = set()
        self._heard = heard
        self._child = 0
        self._status: int | None = None
        self._abandoned = False

    def run(self) -> None:
        """Start the command and stay until nothing of it is left."""
        _become_subreaper()
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._listen(woken, self._wake_up)
        self._listen(0, self._hear)
        self._start()
        self._obey(b"")
        while self._status is None and not self._abandoned:
            self._turn(_LOOK_SECONDS)
            self._reap()
            self._abandoned = self._abandoned or os.getppid() != self._asker
        self._end_all()
        self._finish()

    def _listen(self, descriptor: int, heard: Callable[[int], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, heard)

    def _turn(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            key.data(key.fd)

    def _start(self) -> None:
        outputs = {} if self._order["streams"] else {b"stdout": os.pipe(), b"stderr": os.pipe()}
        failed, fail = os.pipe()
        self._child = os.fork()
        if not self._child:
            streams = self._order["streams"] or [
                os.open(os.devnull, os.O_RDONLY),
                *(ends[1] for ends in outputs.values()),
            ]
            _become(self._order, streams, fail)
        os.close(fail)
        for descriptor in {*self._order["streams"], *(ends[1] for ends in outputs.values())}:
            os.close(descriptor)
        for name, (readable, _) in outputs.items():
            self._pipes.add(readable)
            self._listen(readable, lambda descriptor, name=name: self._take(name, descriptor))  # type: ignore[misc]  # bound
        with os.fdopen(failed, "rb") as reader:
            words = reader.read().decode()
        tell({"error": words} if words else {"started": self._child})

    def _take(self, stream: bytes, descriptor: int) -> None:
        data = os.read(descriptor, _PIECE)
        if data and self._log:
            self._log.take(stream, data)
        if not data:
            self._selector.unregister(descriptor)
            self._pipes.discard(descriptor)
            os.close(descriptor)

    def _hear(self, descriptor: int) -> None:
        data = os.read(descriptor, _PIECE)
        if data:
            self._obey(data)
        else:
            self._abandoned = True

    def _obey(self, data: bytes) -> None:
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "kill" in said:
                self._kill_all()
            elif self._status is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._child, said["signal"])

    @staticmethod
    def _wake_up(descriptor: int) -> None:
        os.read(descriptor, _PIECE)

    def _reap(self) -> bool:
        """Take the status of all that have ended; False if nobody is left."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == self._child:
                    self._status = status
                if not pid:
                    return True
        return False

    def _kill_all(self) -> None:
        if not _LINUX:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child, signal.SIGKILL)
        for pid in descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        while self._reap():
            self._kill_all()
            time.sleep(_KILL_SECONDS)

    def _finish(self) -> None:
        until = time.monotonic() + _DRAIN_SECONDS
        while self._pipes and time.monotonic() < until and not self._abandoned:
            self._turn(_KILL_SECONDS)
        if self._log:
            self._log.end()
        if self._status is not None:
            tell({"exited": exit_code(self._status)})


def _become_subreaper() -> None:
    if _LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    import ctypes  # noqa: PLC0415 - not where there is no prctl

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _become(order: Order, streams: list[int], fail: int) -> NoReturn:
    """Turn the forked child into the command; says why it cannot to ``fail``."""
    try:
        os.setsid()
        if _LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Duplicates first: none of them is 0, 1 or 2, and none is inherited.
        for target, source in enumerate([os.dup(each) for each in streams]):
            os.dup2(source, target)
        for each in streams:
            os.close(each)
        if order["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(order["directory"])
        os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606 - the very purpose
    except (OSError, ValueError) as error:
        os.write(fail, _words_of(error, order["command"][0]).encode(errors="replace"))
    finally:
        os._exit(127)


def _words_of(error: OSError | ValueError, command: str) -> str:
    """As container runtimes say it; a ValueError is for what no system takes, as a zero byte in a variable."""
    named = f'exec: "{command[:_LONGEST_NAME]}"'
    if isinstance(error, FileNotFoundError) and "/" not in command:
        return f"{named}: executable file not found in $PATH"
    return f"{named}: {(getattr(error, 'strerror', None) or str(error)).lower()}"


def exit_code(status: int) -> int:
    """A wait status as a container's exit code: 128+n for signal n."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def tell(said: dict[str, object]) -> None:
    """Say it to the asker, who may be gone."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(said).encode() + b"\n")


def main() -> None:
    """Read the order, carry it out."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    heard = b""
    while b"\n" not in heard:
        data = os.read(0, _PIECE)
        if not data:
            return
        heard += data
    line, _, rest = heard.partition(b"\n")
    Supervisor(json.loads(line), rest).run()


if __name__ == "__main__":
    main()
