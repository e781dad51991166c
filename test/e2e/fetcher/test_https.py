"""https:// against a web server that behaves well, badly, and otherwise."""

import base64
import gzip
import hashlib
import io
import json
import os
import signal
import socket
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from support.fetching.host import Body, Host, Request, basic
from support.fetching.program import Program

WEIGHTS = bytes(range(256)) * 4000


def packed(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def test_a_file_is_measured_and_fetched(program: Program, host: Host) -> None:
    host.files(model__onnx=WEIGHTS)
    measured, fetched = program.both(host.url("/files/model.onnx"))
    assert (measured.outcome["files"], measured.outcome["bytes"]) == (1, len(WEIGHTS))
    assert (fetched.outcome["files"], fetched.outcome["bytes"]) == (1, len(WEIGHTS))
    assert program.contents() == {"model.onnx": WEIGHTS}
    assert [path.name for path in program.model.iterdir()] == ["model.onnx"]
    host.requests.clear()
    program.both(host.url("/files/model.onnx"))
    assert host.requests == [], "a whole folder is not fetched again"


@pytest.mark.parametrize("name", ["model.tar.gz", "model.tgz", "model.zip"])
def test_an_archive_is_unpacked(program: Program, host: Host, name: str) -> None:
    content = (zipped if name.endswith("zip") else packed)(model__onnx=WEIGHTS, config__json=b"{}")
    host.routes[f"/files/{name}"] = lambda request: request.serve(content)
    _, fetched = program.both(host.url(f"/files/{name}"))
    assert fetched.outcome["files"] == 2
    assert program.contents() == {"model.onnx": WEIGHTS, "config.json": b"{}"}


def test_a_broken_archive_is_named(program: Program, host: Host) -> None:
    host.files(model__tgz=gzip.compress(b"this is no tar" * 1000))
    ended = program.run("fetch", host.url("/files/model.tgz"))
    assert (ended.code, ended.reason) == (1, "BadArchive")


def test_a_large_file_takes_little_memory(program: Program, host: Host) -> None:
    size = 400_000_000
    host.files(model__onnx=Body(size))
    _, fetched = program.both(host.url("/files/model.onnx"))
    assert fetched.outcome["bytes"] == size
    assert 0 < fetched.memory < 100_000_000
    with (program.model / "model.onnx").open("rb") as file:
        for start in range(0, size, 50_000_000):
            file.seek(start)
            assert file.read(1000) == Body(size)[start : start + 1000]
    assert sum(path == "/files/model.onnx" for _, path, _ in host.requests) == 7, "parts of 64 MiB, and a look before"


def test_a_broken_stream_goes_on_where_it_was(program: Program, host: Host) -> None:
    cuts = [300_000, 300_000]
    served: list[str] = []

    def serve(request: Request) -> None:
        served.append(request.handler.headers.get("Range", ""))
        request.serve(WEIGHTS, cut=cuts.pop(0) if cuts and len(served) > 1 else None)

    host.routes["/files/model.onnx"] = serve
    ended = program.run("fetch", host.url("/files/model.onnx"))
    assert (ended.code, program.contents()) == (0, {"model.onnx": WEIGHTS})
    starts = [int(span.removeprefix("bytes=").partition("-")[0]) for span in served[1:]]
    assert starts == sorted(set(starts))
    assert len(starts) == 3


def test_a_server_without_ranges_and_sizes_is_read_too(program: Program, host: Host) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.serve(WEIGHTS, ranges=False, length=False)
    measured, fetched = program.both(host.url("/files/model.onnx"))
    assert (measured.outcome["bytes"], fetched.outcome["bytes"]) == (0, len(WEIGHTS))
    assert program.contents() == {"model.onnx": WEIGHTS}


def test_a_stream_of_unknown_size_ends_at_the_limit(program: Program, host: Host) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.serve(Body(10**15), ranges=False, length=False)
    ended = program.run("fetch", host.url("/files/model.onnx"), AIOP_MAX_BYTES="5000000")
    assert (ended.code, ended.reason) == (1, "TooLarge")


def test_more_than_allowed_is_refused_before_it_is_fetched(program: Program, host: Host) -> None:
    host.files(model__onnx=Body(10_000_000))
    ended = program.run("measure", host.url("/files/model.onnx"), AIOP_MAX_BYTES="5000000")
    assert (ended.code, ended.reason) == (1, "TooLarge")
    assert "10.0 MB" in ended.message


def test_a_model_larger_than_the_volume_is_no_space(program: Program, host: Host) -> None:
    host.files(model__onnx=Body(10**17))
    ended = program.run("measure", host.url("/files/model.onnx"))
    assert (ended.code, ended.reason) == (1, "NoSpace")
    assert "make it larger" in ended.message


def test_an_empty_file_is_a_file(program: Program, host: Host) -> None:
    host.files(model__onnx=b"")
    program.both(host.url("/files/model.onnx"))
    assert program.contents() == {"model.onnx": b""}


def test_a_digest_of_the_server_is_verified(program: Program, host: Host) -> None:
    digest = hashlib.sha256(b"other").digest()
    value = f"sha-256=:{base64.b64encode(digest).decode()}:"
    host.routes["/files/model.onnx"] = lambda request: request.serve(WEIGHTS, Repr_Digest=value)
    ended = program.run("fetch", host.url("/files/model.onnx"))
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "damaged" in ended.message
    assert "model.onnx" not in program.contents()


@pytest.mark.parametrize(
    "credentials",
    [
        {"HTTPS_AUTHORIZATION": "Bearer planted-token"},
        {"HTTPS_USERNAME": "keeper", "HTTPS_PASSWORD": "planted-password"},
    ],
)
def test_credentials_go_to_the_host_of_the_uri_and_to_no_other(
    program: Program, host: Host, other_host: Host, credentials: dict[str, str]
) -> None:
    expected = credentials.get("HTTPS_AUTHORIZATION") or basic("keeper", "planted-password")
    host.routes["/files/model.onnx"] = lambda request: (
        request.answer(307, Location=other_host.url("/store/blob?X-Signature=planted-signature"))
        if request.authorization == expected
        else request.answer(401)
    )
    other_host.routes["/store/blob"] = lambda request: (
        request.serve(WEIGHTS) if request.query == "X-Signature=planted-signature" else request.answer(403)
    )
    measured, fetched = program.both(host.url("/files/model.onnx"), **credentials)
    assert program.contents() == {"model.onnx": WEIGHTS}
    assert {given for _, _, given in host.requests} == {expected}
    assert {given for _, _, given in other_host.requests} == {""}
    assert "planted" not in measured.said + fetched.said + json.dumps([measured.outcome, fetched.outcome])


@pytest.mark.parametrize(
    "location", ["http://localhost/model.onnx", "https://bob:pw@localhost/m.onnx", "file:///etc/passwd", ""]
)
def test_a_redirect_to_anything_but_https_is_refused(program: Program, host: Host, location: str) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.answer(302, Location=location)
    ended = program.run("measure", host.url("/files/model.onnx"), HTTPS_AUTHORIZATION="Bearer planted-token")
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "redirects" in ended.message


def test_an_endless_redirect_ends(program: Program, host: Host) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.answer(302, Location="/files/model.onnx")
    ended = program.run("measure", host.url("/files/model.onnx"))
    assert (ended.code, ended.reason) == (1, "Failed")
    assert len(host.requests) == 10


@pytest.mark.parametrize(
    ("status", "credentials", "reason", "words"),
    [
        (401, {}, "MissingCredentials", "HTTPS_AUTHORIZATION"),
        (403, {"HTTPS_AUTHORIZATION": "Bearer planted-token"}, "AccessDenied", "right to read"),
        (404, {}, "NotFound", "check the model URI"),
        (503, {}, "Unreachable", "tried 2 times"),
        (418, {}, "Failed", "418"),
    ],
)
def test_each_answer_has_its_reason(
    program: Program, host: Host, status: int, credentials: dict[str, str], reason: str, words: str
) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.answer(status, b"planted-token in a body")
    ended = program.run("measure", host.url("/files/model.onnx"), **credentials)
    assert (ended.code, ended.reason) == (1, reason)
    assert words in ended.message
    assert "planted-token" not in ended.said + ended.message


def test_a_web_page_instead_of_a_file_is_named(program: Program, host: Host) -> None:
    host.routes["/files/model.onnx"] = lambda request: request.serve(b"<html>", Content_Type="text/html; charset=utf-8")
    ended = program.run("measure", host.url("/files/model.onnx"))
    assert (ended.code, ended.reason) == (1, "Failed")
    assert "web page" in ended.message


def test_a_host_that_is_not_there_is_unreachable(program: Program) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ended = program.run("measure", f"https://localhost:{probe.getsockname()[1]}/model.onnx")
    assert (ended.code, ended.reason) == (1, "Unreachable")
    assert "network policies" in ended.message


def test_a_certificate_that_is_not_trusted_is_named_and_not_tried_again(program: Program, host: Host) -> None:
    host.files(model__onnx=WEIGHTS)
    ended = program.run("measure", host.url("/files/model.onnx"), SSL_CERT_FILE="", AIOP_ATTEMPTS="20")
    assert (ended.code, ended.reason) == (1, "Unreachable")
    assert "SSL_CERT_FILE" in ended.message


def test_sigterm_ends_a_fetch_at_once_and_the_next_one_goes_on(program: Program, host: Host) -> None:
    arrived, release = threading.Event(), threading.Event()

    def slow(request: Request) -> None:
        if request.handler.headers.get("Range", "").startswith("bytes=67108864-"):
            arrived.set()
            release.wait(60)
        request.serve(Body(100_000_000))

    host.routes["/files/model.onnx"] = slow
    with program.start("fetch", host.url("/files/model.onnx")) as process:
        assert arrived.wait(60)
        process.send_signal(signal.SIGTERM)
        ended = program.ended(process)
    assert (ended.code, ended.reason) == (143, "Failed")
    assert "stopped" in ended.message
    release.set()
    again = program.run("fetch", host.url("/files/model.onnx"))
    assert (again.code, again.outcome["bytes"]) == (0, 100_000_000)


# Everything but the test's own folder is read-only, and the user is nobody's; it may read what root has installed.
CONFINED = """
mount --bind "$0" "$0"
mount -o remount,bind,ro /
exec setpriv --reuid 65532 --regid 65532 --clear-groups \\
  --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search "$@"
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root may make a file system read-only")
def test_any_user_can_run_it_under_a_read_only_root(program: Program, host: Host, tmp_path: Path) -> None:
    host.files(model__onnx=WEIGHTS, packed__tgz=packed(config__json=b"{}"))
    tmp_path.chmod(0o777)
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o777)
    program.prefix = ("unshare", "--mount", "sh", "-e", "-c", CONFINED, str(tmp_path))
    program.both(host.url("/files/packed.tgz"))
    assert program.contents() == {"config.json": b"{}"}
    (file,) = program.model.iterdir()
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (65532, 0o644)


def test_nothing_is_written_outside_the_folder(program: Program, host: Host, tmp_path: Path) -> None:
    host.files(model__onnx=WEIGHTS)
    program.both(host.url("/files/model.onnx"))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in written) == ["model.onnx", "termination-log"]
