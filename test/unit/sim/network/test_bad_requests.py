"""Requests that are no requests, or would be read in two ways: refused in words, with no effect on others."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from support.networkbench import Bench, Pod, network_bench

HOST = b"Host: a.example\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n"
END = b"\r\n"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with network_bench() as found:
        yield found


async def pod_for(bench: Bench, **ingress: str) -> Pod:
    pod = await bench.pod("a")
    await bench.service("web")
    await bench.behind("web", pod)
    await bench.ingress("web", "/", "web", kind="Prefix", **ingress)
    await bench.until_answers("/", headers={"Host": ingress["host"]} if "host" in ingress else {})
    pod.asked.clear()
    pod.bodies.clear()
    return pod


async def say(bench: Bench, *pieces: bytes) -> bytes:
    """What comes back for these bytes until the router closes the connection."""
    router = URL(bench.network.router_url)
    reader, writer = await asyncio.open_connection(router.host, router.port)
    try:
        writer.write(b"".join(pieces))
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split()[1])


def get(target: bytes, *headers: bytes) -> bytes:
    return b"".join([b"GET ", target, b" HTTP/1.1\r\n", *(headers or (HOST,)), CLOSE, END])


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"".join([b"POST / HTTP/1.1\r\n", HOST, CLOSE, *headers, END, body])


BAD = {
    "no host": (400, get(b"/", b"X-A: b\r\n")),
    "two hosts": (400, get(b"/", HOST, HOST)),
    "an empty host": (400, get(b"/", b"Host:\r\n")),
    "a path for a host": (400, get(b"/", b"Host: a/b\r\n")),
    "a user in the host": (400, get(b"/", b"Host: u@a\r\n")),
    "two words for a host": (400, get(b"/", b"Host: a b\r\n")),
    "no number for a port": (400, get(b"/", b"Host: a:b\r\n")),
    "a user in an absolute target": (400, get(b"http://u:p@a.example/")),
    "another scheme": (400, get(b"ftp://a.example/")),
    "above the root": (400, get(b"/x/../../y")),
    "above the root, encoded": (400, get(b"/%2e%2E/y")),
    "above the root, behind encoded slashes": (400, get(b"/x%2f..%2f..%2fy")),
    "a zero byte": (400, get(b"/x%00y")),
    "no escape": (400, get(b"/x%zz")),
    "length and chunks": (400, post(b"Content-Length: 5\r\n", CHUNKS, body=b"0\r\n\r\n")),
    "chunks and length": (400, post(CHUNKS, b"Content-Length: 5\r\n", body=b"0\r\n\r\n")),
    "two lengths": (400, post(b"Content-Length: 1\r\n", b"Content-Length: 2\r\n", body=b"xy")),
    "a length with a sign": (400, post(b"Content-Length: +1\r\n", body=b"x")),
    "a list of lengths": (400, post(b"Content-Length: 1, 1\r\n", body=b"x")),
    "chunks twice": (400, post(CHUNKS, CHUNKS, body=b"0\r\n\r\n")),
    "an unknown coding": (400, post(b"Transfer-Encoding: xchunked\r\n", body=b"0\r\n\r\n")),
    "a coding below chunks": (501, post(b"Transfer-Encoding: gzip, chunked\r\n", body=b"0\r\n\r\n")),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\n" + HOST + CHUNKS + END + b"0\r\n\r\n"),
    "a space before the colon": (400, post(b"Transfer-Encoding : chunked\r\n", body=b"0\r\n\r\n")),
    "no chunk": (400, post(CHUNKS, body=b"zz\r\nabc\r\n0\r\n\r\n")),
    "a folded line": (400, get(b"/", HOST, b"X-A: b\r\n c\r\n")),
    "a line's end in a header": (400, get(b"/", HOST, b"X-A: b\rX-B: c\r\n")),
    "a zero byte in a header": (400, get(b"/", HOST, b"X-A: b\0c\r\n")),
    "lines without returns": (400, b"GET / HTTP/1.1\nHost: a\nConnection: close\n\n"),
    "a long line": (400, get(b"/" + b"x" * 20_000)),
    "a long head": (431, get(b"/", HOST, *(b"X-%d: %s\r\n" % (n, b"x" * 15_000) for n in range(5)))),
    "a tunnel": (405, b"CONNECT a.example:80 HTTP/1.1\r\n" + HOST + CLOSE + END),
    "an echo": (405, b"TRACE / HTTP/1.1\r\n" + HOST + CLOSE + END),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "sent"), BAD.values(), ids=BAD.keys())
async def test_what_could_mislead_is_refused_and_reaches_no_pod(
    bench: Bench, caplog: pytest.LogCaptureFixture, status: int, sent: bytes
) -> None:
    caplog.set_level(logging.INFO)
    pod = await pod_for(bench)
    # The connection ends with the refusal, so that nothing that hides behind it is taken for a request.
    assert status_of(await say(bench, sent.replace(CLOSE, b""), get(b"/smuggled"))) == status
    assert not pod.asked
    assert not caplog.records, "whoever sends it shall not fill our screen"
    assert await bench.ask("/") == (200, "a")


async def test_a_whole_url_is_led_by_its_own_host(bench: Bench) -> None:
    pod = await pod_for(bench, host="b.example")
    sent = get(b"http://B.example:8080/x?y=1#z", HOST)
    assert status_of(await say(bench, sent)) == 200
    [asked] = pod.asked
    assert asked.raw_path == "/x?y=1"
    assert asked.headers.getall("Host") == ["B.example:8080"]
    assert asked.headers["X-Forwarded-Host"] == "B.example:8080"
    assert status_of(await say(bench, get(b"http://b.example", HOST))) == 200
    assert pod.asked[-1].raw_path == "/"
    assert status_of(await say(bench, get(b"http://a.example/", b"Host: b.example\r\n"))) == 404


async def test_old_clients_may_name_no_host(bench: Bench) -> None:
    await pod_for(bench)
    assert status_of(await say(bench, b"GET / HTTP/1.0\r\n\r\n")) == 200


@pytest.mark.parametrize("path", ["/a//b", "/a/./b", "/c/../a/b", "/a%2Fb", "/%61/b"])
async def test_no_spelling_leads_past_a_rule_and_the_pod_gets_it_as_written(bench: Bench, path: str) -> None:
    pod = await bench.pod("a")
    await bench.service("web")
    await bench.behind("web", pod)
    await bench.ingress("web", "/a/b", "web")
    await bench.until_answers("/a/b")
    assert status_of(await say(bench, get(path.encode()))) == 200
    assert pod.asked[-1].raw_path == path


async def test_headers_that_servers_take_for_others_are_left_out(bench: Bench) -> None:
    pod = await pod_for(bench)
    assert status_of(await say(bench, get(b"/", HOST, b"X_Forwarded_For: 6.6\r\n", b"X-A: b\r\n"))) == 200
    [asked] = pod.asked
    assert "X_Forwarded_For" not in asked.headers
    assert asked.headers["X-A"] == "b"


async def test_a_fault_of_the_routers_own_is_told(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pod_for(bench)

    def fault() -> None:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr(bench.network.router, "_current", fault)
    assert status_of(await say(bench, get(b"/"))) == 500
    assert "nobody thought of it" in caplog.text
