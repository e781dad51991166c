"""`measure` and `fetch` over a source without a network."""

import hashlib
import io
import os
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from aiop.fetcher import partial
from aiop.fetcher.command import Run, fetch, measure
from aiop.fetcher.errors import (
    AccessDenied,
    BadArchive,
    Failed,
    FetchError,
    Interrupted,
    NoSpace,
    NotFound,
    TooLarge,
    Unreachable,
)
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.settings import Settings
from support.modelsource import ModelSource

CONTENT = {"config.json": b"{}", "onnx/model.onnx": os.urandom(10_000), "onnx/empty": b""}
URI = "s3://models/bert"
WAITS: list[float] = []


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "PART_BYTES", 3000)
    WAITS.clear()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "model"


def a_run(source: ModelSource, model: Path, said: list[str] | None = None, **settings: int) -> Run:
    told = said if said is not None else []
    return Run(URI, model, {}, Settings(**settings), told.append, source.open, WAITS.append, lambda: 0.0)  # type: ignore[arg-type]


def contents(model: Path) -> dict[str, bytes]:
    return {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}


def test_measuring_tells_files_and_bytes_and_fetches_nothing(model: Path) -> None:
    source = ModelSource(CONTENT)
    outcome = measure(a_run(source, model))
    assert (outcome.reason, outcome.files, outcome.bytes) == ("Measured", 3, 10_002)
    assert outcome.message.startswith("The model has 3 files with 10.0 kB; ")
    assert source.reads == []


@pytest.mark.parametrize("measured", [True, False])
def test_a_fetch_brings_exactly_the_model_and_leaves_nothing_of_its_own(model: Path, measured: bool) -> None:
    source = ModelSource(CONTENT)
    if measured:
        measure(a_run(source, model))
    outcome = fetch(a_run(source, model))
    assert (outcome.reason, outcome.files, outcome.bytes) == ("Fetched", 3, 10_002)
    assert contents(model) == CONTENT
    assert sorted(path.name for path in model.iterdir()) == ["config.json", "onnx"]
    assert source.listings == 1


def test_progress_is_told_now_and_then_and_in_plain_lines(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiop.fetcher.download._TELL_SECONDS", 0.05)
    said: list[str] = []
    told = threading.Event()

    class Listening(list[str]):
        def append(self, line: str) -> None:
            said.append(line)
            told.set()

    def wait() -> None:
        told.wait(10)

    source = ModelSource(CONTENT, before_read=wait)
    fetch(a_run(source, model, Listening(), streams=1))
    assert re.fullmatch(r"Fetched 0 bytes of 10\.0 kB \(0 %\), 0 of 3 files\.", said[0])


def test_a_large_file_comes_in_parts(model: Path) -> None:
    source = ModelSource(CONTENT)
    fetch(a_run(source, model))
    parts = sorted(read[1:] for read in source.reads if read[0] == "onnx/model.onnx")
    assert parts == [(0, 3000), (3000, 6000), (6000, 9000), (9000, 10_000)]


@pytest.mark.parametrize("command", [measure, fetch])
def test_a_whole_folder_asks_nothing_of_the_source(model: Path, command: Callable[[Run], object]) -> None:
    fetch(a_run(ModelSource(CONTENT), model))
    silent = ModelSource({})
    command(a_run(silent, model))
    assert (silent.listings, silent.reads) == (0, [])
    assert contents(model) == CONTENT


@pytest.mark.parametrize("harm", ["removed", "shortened", "added"])
def test_a_folder_that_was_touched_is_fetched_again(model: Path, harm: str) -> None:
    fetch(a_run(ModelSource(CONTENT), model))
    if harm == "removed":
        (model / "config.json").unlink()
    elif harm == "shortened":
        (model / "onnx" / "model.onnx").write_bytes(b"")
    else:
        (model / "onnx" / "stray").write_bytes(b"stray")
    fetch(a_run(ModelSource(CONTENT), model))
    assert contents(model) == CONTENT


def test_another_models_leftovers_do_not_mix_with_this_one(model: Path) -> None:
    fetch(a_run(ModelSource({"old/shard-1": b"old", "config.json": b"old"}), model))
    fetch(replace(a_run(ModelSource(CONTENT), model), uri="s3://models/other"))
    assert contents(model) == CONTENT


def test_files_that_no_fetch_made_are_left_alone(model: Path) -> None:
    (model / "lost+found").mkdir(parents=True)
    (model / "notes.txt").write_text("mine")
    fetch(a_run(ModelSource(CONTENT), model))
    assert (model / "notes.txt").read_text() == "mine"
    assert (model / "lost+found").is_dir()


def test_a_folder_without_extended_attributes_is_fetched_again_and_right(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refused)
    fetch(a_run(ModelSource(CONTENT), model))
    second = ModelSource(CONTENT)
    fetch(a_run(second, model))
    assert second.listings == 1
    assert contents(model) == CONTENT


def test_a_stream_that_breaks_off_goes_on_where_it_was(model: Path) -> None:
    source = ModelSource(CONTENT, breaks={"onnx/model.onnx": [1024, 1024]})
    fetch(a_run(source, model, streams=1))
    assert contents(model) == CONTENT
    starts = [start for name, start, _ in source.reads if name == "onnx/model.onnx"]
    assert starts == [0, 1024, 2048, 3000, 6000, 9000]


def test_a_stream_that_ends_too_early_goes_on_where_it_was(model: Path) -> None:
    class Short(ModelSource):
        def read(self, file, start, stop, sink):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            self.reads.append((file.name, start, stop))
            sink(self.content[file.key][start:stop][:1000])

    source = Short({"model.onnx": os.urandom(2500)})
    fetch(a_run(source, model, streams=1))
    assert contents(model) == source.content
    assert [start for _, start, _ in source.reads] == [0, 1000, 2000]


def test_a_source_without_ranges_begins_again(model: Path) -> None:
    source = ModelSource(CONTENT, ranged=False, breaks={"onnx/model.onnx": [4096]})
    fetch(a_run(source, model, streams=1))
    assert contents(model) == CONTENT
    assert [read[1:] for read in source.reads if read[0] == "onnx/model.onnx"] == [(0, 10_000), (0, 10_000)]


def test_a_server_that_forgets_ranges_is_read_from_the_start(model: Path) -> None:
    content = {"model.onnx": os.urandom(2500)}
    source = ModelSource(content, honours_ranges=False, breaks={"model.onnx": [1024]})
    fetch(a_run(source, model, streams=1))
    assert contents(model) == content
    assert [start for _, start, _ in source.reads] == [0, 1024, 0]


def test_a_source_that_says_no_size_is_read_to_its_end(model: Path) -> None:
    source = ModelSource(CONTENT, sizes=False, ranged=False)
    outcome = measure(a_run(source, model))
    assert outcome.bytes == 0
    assert outcome.message.startswith("The model has 3 files with an unknown size; ")
    assert fetch(a_run(source, model)).bytes == 10_002
    assert contents(model) == CONTENT


def test_a_source_that_says_no_size_is_stopped_at_the_limit(model: Path) -> None:
    source = ModelSource(CONTENT, sizes=False, ranged=False)
    with pytest.raises(TooLarge, match="9999"):
        fetch(a_run(source, model, max_bytes=9999))


def test_a_source_that_sends_more_than_it_said_is_not_believed(model: Path) -> None:
    class Liar(ModelSource):
        def read(self, file, start, stop, sink):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            sink(self.content[file.key] + b"more")

    with pytest.raises(Failed, match="keeps changing"):
        fetch(a_run(Liar({"model.onnx": b"weights"}), model))


def test_transient_errors_are_waited_out_with_growing_waits(model: Path) -> None:
    source = ModelSource({"model.onnx": b"weights"}, errors=[Interrupted("Busy.")] * 3)
    fetch(a_run(source, model, attempts=4))
    assert WAITS == [1.0, 2.0, 4.0]


def test_a_source_that_stays_away_is_given_up(model: Path) -> None:
    source = ModelSource(CONTENT, errors=[Interrupted("Busy.")] * 50)
    with pytest.raises(Unreachable, match=r"Busy\. It was tried 3 times\."):
        measure(a_run(source, model, attempts=3))
    assert len(source.errors) == 47


def test_a_stream_that_never_brings_a_byte_is_given_up(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiop.fetcher.patience._FIRST_WAIT", 0.001)
    source = ModelSource({"model.onnx": b"weights"}, breaks={"model.onnx": [0] * 50})
    with pytest.raises(Unreachable, match="tried 3 times"):
        fetch(a_run(source, model, attempts=3))


def test_a_stream_that_brings_something_each_time_is_not_given_up(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiop.fetcher.patience._FIRST_WAIT", 0.001)
    monkeypatch.setattr(partial, "PART_BYTES", 100_000)
    content = {"model.onnx": os.urandom(20_000)}
    fetch(a_run(ModelSource(content, breaks={"model.onnx": [1024] * 15}), model, attempts=2))
    assert contents(model) == content


@pytest.mark.parametrize("error", [AccessDenied("No."), NotFound("No."), Failed("No.")])
def test_an_error_that_will_not_pass_is_not_tried_again(model: Path, error: FetchError) -> None:
    source = ModelSource(CONTENT, errors=[error])
    with pytest.raises(type(error)):
        measure(a_run(source, model))
    assert WAITS == []


def test_a_fetch_that_was_killed_goes_on_with_what_is_missing(model: Path) -> None:
    first = ModelSource(CONTENT)

    def killed() -> None:
        if len(first.reads) == 4:
            first.errors.append(AccessDenied("Killed."))

    first.before_read = killed
    with pytest.raises(AccessDenied):
        fetch(a_run(first, model, streams=1))
    assert sorted(path.name for path in model.iterdir()) == [".aiop-fetch"]
    second = ModelSource(CONTENT)
    fetch(a_run(second, model, streams=1))
    assert contents(model) == CONTENT
    assert second.listings == 0
    assert set(second.reads) & set(first.reads[:3]) == set()


def test_a_source_that_changes_before_the_fetch_is_measured_again(model: Path) -> None:
    source = ModelSource(dict(CONTENT))
    measure(a_run(source, model))
    source.content["config.json"] = b'{"new": 1}'
    said: list[str] = []
    fetch(a_run(source, model, said))
    assert contents(model) == source.content
    assert "Changed. Measuring again." in said


def test_parts_of_an_older_version_do_not_mix_with_a_newer_one(model: Path) -> None:
    first = ModelSource({"model.onnx": b"a" * 9000}, before_read=lambda: None)
    first.before_read = lambda: first.errors.append(AccessDenied("Killed.")) if len(first.reads) == 2 else None
    with pytest.raises(AccessDenied):
        fetch(a_run(first, model, streams=1))
    second = ModelSource({"model.onnx": b"b" * 9000})
    measure(a_run(second, model))
    fetch(a_run(second, model))
    assert contents(model) == second.content


class Library(ModelSource):
    """A source whose library writes files itself: ``written`` into a file, or a link."""

    def save(self, file: RemoteFile, folder: Path, arrived: Callable[[int], None]) -> Path:
        path = folder / "library"
        self.reads.append((file.name, 0, None))
        self._fail()
        if self.content[file.key] == b"link":
            path.symlink_to("/etc/passwd")
        else:
            path.write_bytes(self.content[file.key])
            arrived(len(self.content[file.key]))
        return path

    def files(self) -> Iterator[RemoteFile]:
        return (replace(file, size=7) for file in super().files())


def test_a_library_that_writes_by_itself_is_tried_again_and_verified(model: Path) -> None:
    source = Library({"model.onnx": b"weights"}, errors=[])
    measure(a_run(source, model))
    source.errors = [Interrupted("Busy.")] * 2
    source_waits(source, model)
    assert contents(model) == {"model.onnx": b"weights"}
    assert len(source.reads) == 3


def source_waits(source: ModelSource, model: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("aiop.fetcher.patience._FIRST_WAIT", 0.001)
        fetch(a_run(source, model))


@pytest.mark.parametrize(("content", "words"), [(b"weight", "6 bytes instead of 7"), (b"link", "no plain file")])
def test_what_a_library_writes_is_not_trusted(model: Path, content: bytes, words: str) -> None:
    with pytest.raises(Failed, match=words):
        fetch(a_run(Library({"model.onnx": content}), model))
    assert contents(model).keys() == {".aiop-fetch/list.json"}


def test_a_source_that_keeps_changing_is_given_up(model: Path) -> None:
    source = ModelSource(dict(CONTENT))
    counter = iter(range(1000))
    source.before_read = lambda: source.content.update({"config.json": b"%d" % next(counter)})
    with pytest.raises(Failed, match="keeps changing"):
        fetch(a_run(source, model, streams=1))
    assert source.listings == 3


def test_a_digest_that_does_not_match_fails_and_the_next_try_fetches_anew(model: Path) -> None:
    digests = {"model.onnx": "sha256:" + hashlib.sha256(b"weights").hexdigest()}
    bad = ModelSource({"model.onnx": b"wEights"}, digests=digests)
    with pytest.raises(Failed, match="damaged"):
        fetch(a_run(bad, model))
    assert not (model / "model.onnx").exists()
    measure(a_run(ModelSource({"model.onnx": b"weights"}, digests=digests), model))
    fetch(a_run(ModelSource({"model.onnx": b"weights"}, digests=digests), model))
    assert contents(model) == {"model.onnx": b"weights"}


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:" + hashlib.sha256(b"weights").hexdigest(),
        "md5:" + hashlib.md5(b"weights").hexdigest(),  # noqa: S324 - what the stores give
        "git:" + hashlib.sha1(b"blob 7\0weights").hexdigest(),  # noqa: S324 - what git gives
        "sha512:unknown",
        "",
    ],
)
def test_every_digest_of_a_source_is_understood(model: Path, digest: str) -> None:
    fetch(a_run(ModelSource({"model.onnx": b"weights"}, digests={"model.onnx": digest}), model))
    assert contents(model) == {"model.onnx": b"weights"}


def test_more_bytes_than_allowed_are_refused_before_the_first(model: Path) -> None:
    source = ModelSource(CONTENT)
    with pytest.raises(TooLarge, match=r"10\.0 kB; AIOP_MAX_BYTES allows 10\.0 kB"):
        measure(a_run(source, model, max_bytes=10_001))
    with pytest.raises(TooLarge):
        fetch(a_run(source, model, max_bytes=10_001))
    assert source.reads == []
    measure(a_run(source, model, max_bytes=10_002))


def test_more_files_than_allowed_are_refused_while_they_are_listed(model: Path) -> None:
    measure(a_run(ModelSource(CONTENT), model, max_files=3))
    with pytest.raises(TooLarge, match="more than 2 files"):
        measure(a_run(ModelSource(CONTENT), model, max_files=2))


def test_a_volume_without_room_is_named_with_what_it_lacks(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiop.fetcher.command.free_bytes", lambda _folder: 5_000)
    with pytest.raises(NoSpace, match=r"needs 10\.0 kB and the volume has 5\.0 kB free"):
        measure(a_run(ModelSource(CONTENT), model))


def test_a_disk_that_fills_up_is_no_space(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace):
        fetch(a_run(ModelSource(CONTENT), model))


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", ".aiop-fetch/list.json", "a/../../b"])
def test_a_hostile_listing_is_refused_before_anything_is_fetched(model: Path, name: str) -> None:
    source = ModelSource({"config.json": b"{}", name: b"evil"})
    with pytest.raises(Failed, match="rename"):
        fetch(a_run(source, model))
    assert source.reads == []


def test_an_empty_listing_is_not_found(model: Path) -> None:
    with pytest.raises(NotFound):
        measure(a_run(ModelSource({}), model))


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_an_archive_becomes_its_content(model: Path) -> None:
    source = ModelSource({"model.tar.gz": packed(CONTENT)}, unpack=True)
    assert measure(a_run(source, model)).files == 1
    assert fetch(a_run(source, model)).files == 3
    assert contents(model) == CONTENT
    silent = ModelSource({})
    fetch(a_run(silent, model))
    assert silent.listings == 0


def test_a_bad_archive_leaves_no_file_among_the_models(model: Path) -> None:
    source = ModelSource({"model.tar.gz": packed({"good": b"", "../escape": b"evil"})}, unpack=True)
    with pytest.raises(BadArchive):
        fetch(a_run(source, model))
    assert [path.name for path in model.iterdir()] == [".aiop-fetch"]
    assert not (model.parent / "escape").exists()


@pytest.mark.parametrize("unpack", [True, False])
@pytest.mark.parametrize("crash", range(3))
def test_a_publication_that_was_cut_off_is_ended_by_the_next_run(
    model: Path, crash: int, unpack: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(a_run(ModelSource({"old": b"old", "onnx/old": b"old"}), model))
    steps = iter(range(1000))
    rename = Path.rename

    def cut_off(self: Path, target: Path) -> Path:
        if self.parent.name in {"files", "tree", "onnx"} and next(steps) == crash:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    source = ModelSource({"model.tar.gz": packed(CONTENT)} if unpack else CONTENT, unpack=unpack)
    again = replace(a_run(source, model), uri="s3://models/new")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut_off)
        with pytest.raises(Failed, match="EIO") if crash < 2 else nullcontext():  # there are two renames
            fetch(again)
    reads = len(source.reads)
    measure(again)
    fetch(again)
    assert contents(model) == CONTENT
    assert len(source.reads) == reads


def test_something_in_the_way_is_named_and_not_removed(model: Path) -> None:
    (model / "config.json" / "mine").mkdir(parents=True)
    with pytest.raises(Failed, match="in the way"):
        fetch(a_run(ModelSource(CONTENT), model))
    assert (model / "config.json" / "mine").is_dir()


def test_a_link_in_the_folder_is_replaced_and_not_followed(model: Path, tmp_path: Path) -> None:
    model.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("precious")
    (model / "config.json").symlink_to(outside)
    fetch(a_run(ModelSource(CONTENT), model))
    assert outside.read_text() == "precious"
    assert not (model / "config.json").is_symlink()


def test_a_broken_list_is_measured_again(model: Path) -> None:
    measure(a_run(ModelSource(CONTENT), model))
    (model / ".aiop-fetch" / "list.json").write_text('{"format": 1, "uri": "s3://models/bert", "files": [{"name": 1}]}')
    source = ModelSource(CONTENT)
    fetch(a_run(source, model))
    assert (source.listings, contents(model)) == (1, CONTENT)


def test_one_failure_ends_all_streams(model: Path) -> None:
    source = ModelSource({f"file-{number}": bytes(5000) for number in range(200)})
    barrier = threading.Barrier(4)

    def fail_together() -> None:
        if barrier.broken:
            return
        barrier.wait(10)
        source.errors.append(AccessDenied("No."))
        barrier.abort()

    source.before_read = fail_together
    with pytest.raises((AccessDenied, threading.BrokenBarrierError)):
        fetch(a_run(source, model, streams=4))
    assert len(source.reads) < 20


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="cannot be used"):
        fetch(a_run(ModelSource(CONTENT), tmp_path / "file" / "model"))
